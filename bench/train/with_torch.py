"""The PyTorch side of bench/train, for steps: torchvision's networks (ResNet50 is its first version), eager, channels last."""
import json
import sys
import time

import torch
import torchvision

CLASSES, BATCH = 10, 8
NAMES = {'MobileNetV2': 'mobilenet_v2', 'InceptionV3': 'inception_v3', 'ResNet50V2': 'resnet50'}


def build(family):
  options = {'aux_logits': False, 'init_weights': False} if family == 'InceptionV3' else {}
  model = getattr(torchvision.models, NAMES[family])(weights=None, num_classes=CLASSES, **options)
  return model.to(memory_format=torch.channels_last)


def steps(family, size, open_layers=None):
  """One step of Adam over the same batch; with `open_layers` the head alone learns, and the rest uses stored statistics."""
  model = build(family).train()
  if open_layers is not None:
    model.eval()
    *frozen, _, _ = model.parameters()
    for weight in frozen:
      weight.requires_grad = False
  optimizer = torch.optim.Adam(weight for weight in model.parameters() if weight.requires_grad)
  x = torch.rand(BATCH, 3, size, size).to(memory_format=torch.channels_last)
  y = torch.arange(BATCH) % CLASSES

  def step():
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
  return step


warm = {}


def step(family, size, open_layers=None, **_):
  key = family, size, open_layers
  if key not in warm:
    warm[key] = steps(family, size, open_layers)
    warm[key]()
  start = time.perf_counter()
  for _ in range(3):
    warm[key]()
  return {'seconds': (time.perf_counter() - start) / 3}


def first_step(family, size, **_):
  start = time.perf_counter()
  steps(family, size)()
  return {'seconds': time.perf_counter() - start}


works = {'step': step, 'first step': first_step}

print(json.dumps({'version': f'PyTorch {torch.__version__}', 'works': list(works)}), flush=True)
for line in sys.stdin:
  request = json.loads(line)
  print(json.dumps(works[request.pop('work')](**request)), flush=True)
