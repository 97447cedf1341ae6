"""Goes on in Keras 3 with the run that made {stem}.keras: the same images in the same order, the same learning rates.

    python {stem}.py                                          alone, on all GPUs of this machine
    python {stem}.py --workers host1:2222,host2:2222 --index 0    data-parallel: one such command on each machine

Each step takes the images that it would take alone; several workers share them and add up their gradients. TF_CONFIG, where a
cluster sets it, says the same as the two options. Written to {stem}.continued.keras and {stem}.continued.history.json.
"""
import argparse
import json
import os
import pathlib

here = pathlib.Path(__file__).resolve().parent
options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument('--workers', help='host:port of each worker, with commas between')
options.add_argument('--index', type=int, default=0, help='which of them this one is')
options.add_argument('--images', help='the folder of the images, where it is not what it was')
options.add_argument('--epochs', type=int, help='how many in all, with those that are done')
options.add_argument('--out', default=str(here / '{stem}.continued.keras'))
options = options.parse_args()

os.environ.setdefault('KERAS_BACKEND', 'tensorflow')
if options.workers:
    os.environ['TF_CONFIG'] = json.dumps(
        {'cluster': {'worker': options.workers.split(',')}, 'task': {'type': 'worker', 'index': options.index}})

import tensorflow as tf
# Before anything else of TensorFlow, as it asks for.
if 'TF_CONFIG' in os.environ:
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
elif len(tf.config.list_physical_devices('GPU')) > 1:
    strategy = tf.distribute.MirroredStrategy()
else:
    strategy = tf.distribute.get_strategy()

import keras
import numpy as np
from PIL import Image, ImageOps

facts = json.loads((here / '{stem}.run.json').read_text())
root = pathlib.Path(options.images or facts['root'])
epochs = options.epochs or facts['epochs']
replicas = strategy.num_replicas_in_sync
chief = json.loads(os.environ.get('TF_CONFIG', '{}')).get('task', {}).get('index', 0) == 0

if facts['imports']:
    import sys
    sys.path.insert(0, str(here))
    __import__(facts['imports'])


def random_numbers(*parts):
    """Graft's generator: FNV-1a over the parts, then mulberry32. It gives the order of images."""
    state = 0x811c9dc5
    for char in '\0'.join(map(str, parts)):
        state = (state ^ ord(char)) * 0x01000193 & 0xffffffff
    state = (state ^ state >> 16) * 0x85ebca6b & 0xffffffff
    state = (state ^ state >> 13) or 1
    while True:
        state = state + 0x6d2b79f5 & 0xffffffff
        t = (state ^ state >> 15) * (1 | state) & 0xffffffff
        t = (t + ((t ^ t >> 7) * (61 | t) & 0xffffffff) & 0xffffffff) ^ t
        yield (t ^ t >> 14) / 4294967296


def order_of(epoch, count):
    order = list(range(count))
    if facts['shuffle']:
        numbers = random_numbers(facts['seed'], 'order', epoch)
        for i in range(count - 1, 0, -1):
            j = int(next(numbers) * (i + 1))
            order[i], order[j] = order[j], order[i]
    return order


low, high = facts['range']
values = (low + np.arange(256) / 255 * (high - low)).astype('float32')


def pixels(file):
    image = ImageOps.exif_transpose(Image.open(root / file)).convert('L' if facts['channels'] == 1 else 'RGB')
    array = np.asarray(image, 'float32').reshape(image.height, image.width, facts['channels'])
    if list(array.shape[:2]) != facts['size']:
        array = np.floor(tf.image.resize(array, facts['size']).numpy() + 0.5)
    return values[array.astype('uint8')]


def truth(label):
    if outputs == 1:
        return np.float32([label])
    return np.eye(outputs, dtype='float32')[label]


def batches(images, order):
    """Batch after batch: what each replica of this worker takes, and how many images all of them take."""
    def part(indices):
        # A replica for which none is left takes one that does not count.
        counts = np.ones(len(indices), 'float32') if indices else np.zeros(1, 'float32')
        taken = indices or order[:1]
        return (np.stack([pixels(images['files'][i]) for i in taken]), np.stack([truth(images['labels'][i]) for i in taken]), counts)

    for at in range(0, len(order), facts['batch']):
        batch = order[at:at + facts['batch']]
        given = strategy.experimental_distribute_values_from_function(
            lambda context: tuple(map(tf.constant, part(batch[context.replica_id_in_sync_group::replicas]))))
        yield given, float(len(batch))


with strategy.scope():
    model = keras.models.load_model(here / facts['model'])
    outputs = model.output_shape[-1]
    optimizer = model.optimizer
    loss_of = getattr(keras.losses, facts['loss'])

layers = [each for each in model._flatten_layers() if each.trainable_variables and not isinstance(each, keras.Model)]
learning = sorted(each.name for each in layers)
if learning != sorted(name.replace('/', '.') for name in facts['rates']):
    raise SystemExit(f'Other layers learn in {facts["model"]} than in the run: {learning}. Save the model again with its script.')
highest = max(facts['rates'].values())
rates = {name.replace('/', '.'): rate / highest for name, rate in facts['rates'].items()}
parts = {optimizer._var_key(weight): rates[each.name] for each in layers for weight in each.trainable_variables}
update_step, decay = optimizer.update_step, optimizer.weight_decay


def update_with_its_rate(gradient, variable, learning_rate):
    part = parts[optimizer._var_key(variable)]
    if decay:
        variable.assign_sub(variable * tf.cast(decay * part, variable.dtype) * tf.cast(learning_rate, variable.dtype))
    return update_step(gradient, variable, learning_rate * part)


# Keras lets weights decay by its one rate, where here each does by its own, and adds gradients up after it has clipped them.
optimizer.update_step = update_with_its_rate
optimizer.weight_decay = None
optimizer._all_reduce_sum_gradients = lambda pairs: pairs

weights = None if facts['classWeights'] is None else tf.constant(facts['classWeights'], tf.float32)


def losses(y, predicted, weigh=True):
    smoothing = facts['labelSmoothing']
    each = loss_of(y * (1 - smoothing) + smoothing / max(outputs, 2), predicted)
    if weigh and weights is not None:
        each *= tf.squeeze(y, -1) * (weights[1] - weights[0]) + weights[0] if outputs == 1 else tf.linalg.matvec(y, weights)
    return each


def right(y, predicted):
    same = tf.equal(y > 0.5, predicted > 0.5)[:, 0] if outputs == 1 else tf.equal(tf.argmax(y, -1), tf.argmax(predicted, -1))
    return tf.cast(same, tf.float32)


def penalties():
    return tf.add_n(model.losses) / replicas if model.losses else 0.0


def learn(x, y, counts, size):
    with tf.GradientTape() as tape:
        predicted = model(x, training=True)
        loss = tf.reduce_sum(losses(y, predicted) * counts) / size + penalties()
    gradients = tape.gradient(loss, model.trainable_variables)
    # Added up first and clipped then, as alone.
    gradients = tf.distribute.get_replica_context().all_reduce('SUM', gradients)
    optimizer.apply(gradients, model.trainable_variables)
    return loss, tf.reduce_sum(right(y, predicted) * counts) / size


def test(x, y, counts, size):
    predicted = model(x, training=False)
    loss = tf.reduce_sum(losses(y, predicted, weigh=False) * counts) / size + penalties()
    return loss, tf.reduce_sum(right(y, predicted) * counts) / size


def stepping(one):
    @tf.function
    def step(given, size):
        results = strategy.run(lambda x, y, counts: one(x, y, counts, size), args=given)
        return [strategy.reduce('SUM', each, axis=None) for each in results]
    return step


learn_step, test_step = stepping(learn), stepping(test)


def means(step, images, order, before=lambda: None):
    sums = np.zeros(2)
    for given, size in batches(images, order):
        before()
        sums += np.array([each.numpy() for each in step(given, tf.constant(size))]) * size
    return sums / len(order)


history = {'loss': [], 'accuracy': [], **({'valLoss': [], 'valAccuracy': []} if facts['validation'] else {})}
factors = iter(facts['factors'])
if facts['factors'] and epochs > facts['epochs']:
    raise SystemExit(f'The learning rate was planned for {facts["epochs"]} epochs: there is none for epoch {epochs}.')


def set_rate():
    optimizer.learning_rate.assign(highest * next(factors, 1.0))


if chief:
    print(f'Goes on with run {facts["run"]} after epoch {facts["done"]} of {epochs}, {replicas} replicas.', flush=True)
    if optimizer.iterations.value.numpy() > facts['done'] * -(-len(facts['train']['files']) // facts['batch']):
        print(f'The run was stopped within epoch {facts["done"] + 1}, which is begun again with the weights as they were then.')
for epoch in range(facts['done'], epochs):
    count = len(facts['train']['files'])
    measured = list(means(learn_step, facts['train'], order_of(epoch, count), set_rate))
    if facts['validation']:
        measured += list(means(test_step, facts['validation'], range(len(facts['validation']['files']))))
    for name, value in zip(history, measured):
        history[name].append(float(value))
    if chief:
        print(f'epoch {epoch + 1}: ' + ', '.join(f'{name} {value:.4f}' for name, value in zip(history, measured)), flush=True)

# All workers take part in reading the weights; the first one keeps them.
optimizer.weight_decay, optimizer.update_step = decay, update_step
out = pathlib.Path(options.out if chief else f'{options.out}.{options.index}.keras')
model.save(out)
if chief:
    out.with_suffix('.history.json').write_text(json.dumps(history))
else:
    out.unlink()
