"""Trains with the real Keras 3 and tf_keras, for tests/parity/save-resume.test.ts.

    resume.py write FOLDER   trains models 5 steps, saves them, trains 5 more; writes the last losses to FOLDER/written.json
    resume.py read FOLDER    opens each model of FOLDER/cases.json and trains it 5 steps; writes the losses to FOLDER/read.json
"""
import json
import os
import sys
import traceback

import numpy as np
from libraries import LIBRARIES, cases_in

OPTIMIZERS = {
    'adam': lambda k: k.optimizers.Adam(0.01, beta_1=0.8, epsilon=1e-6),
    'adamw': lambda k: k.optimizers.AdamW(0.01, weight_decay=0.1),
    'sgd': lambda k: k.optimizers.SGD(0.05),
    'momentum': lambda k: k.optimizers.SGD(0.02, momentum=0.8, nesterov=True),
    'rmsprop': lambda k: k.optimizers.RMSprop(0.005, rho=0.8),
}


def data(folder):
    x = np.fromfile(os.path.join(folder, 'x'), '<f4').reshape(12, 8, 8, 3)
    y = np.fromfile(os.path.join(folder, 'y'), '<f4').reshape(12, 4)
    return x, y


def steps(model, folder):
    x, y = data(folder)
    return [float(loss) for loss in model.fit(x, y, batch_size=12, epochs=5, shuffle=False, verbose=0).history['loss']]


def network(k):
    layers = k.layers
    inner = k.Sequential([layers.Input((3, 3, 6)), layers.Conv2D(5, 1, name='inner_conv', kernel_initializer=k.initializers.HeNormal(3))], name='inner')
    x = start = layers.Input((8, 8, 3))
    x = layers.Conv2D(6, 3, strides=2, activation='relu', name='first', kernel_initializer=k.initializers.HeNormal(1))(x)
    x = layers.BatchNormalization(name='norm', momentum=0.8)(x)
    x = layers.Conv2D(6, 1, name='frozen', trainable=False, kernel_initializer=k.initializers.HeNormal(2))(x)
    x = layers.GlobalAveragePooling2D()(inner(x))
    return k.Model(start, layers.Dense(4, activation='softmax', name='head', kernel_initializer=k.initializers.HeNormal(4))(x))


def write(folder):
    cases = []
    for library, k in LIBRARIES.items():
        for name, optimizer in OPTIMIZERS.items():
            model = network(k)
            model.compile(optimizer(k), 'categorical_crossentropy', metrics=['accuracy'])
            steps(model, folder)
            files = [f'{library}_{name}{extension}' for extension in ('.keras', '.h5')]
            for file in files:
                model.save(os.path.join(folder, file))
            if library == 'keras3':
                model.save_weights(os.path.join(folder, f'{library}_{name}.weights.h5'))
            cases.append({'library': library, 'optimizer': name, 'files': files, 'losses': steps(model, folder)})
    with open(os.path.join(folder, 'written.json'), 'w') as file:
        json.dump(cases, file)


def read(folder):
    results = []
    for case in cases_in(folder):
        entry = dict(case)
        try:
            model = LIBRARIES[case['library']].models.load_model(os.path.join(folder, case['file']))
            entry['iterations'] = int(model.optimizer.iterations)
            entry['losses'] = steps(model, folder)
        except Exception as error:
            entry['failure'] = ''.join(traceback.format_exception_only(type(error), error))[:2000]
        results.append(entry)
    with open(os.path.join(folder, 'read.json'), 'w') as file:
        json.dump(results, file)


if __name__ == '__main__':
    {'read': read, 'write': write}[sys.argv[1]](sys.argv[2])
