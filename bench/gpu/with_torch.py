"""PyTorch on the same card: forward and training steps of torchvision's MobileNetV2, eager, channels last, TF32 off and on.

python with_torch.py SIDE BATCH ROUNDS prints one JSON line.
"""
import json
import statistics
import sys
import time

import torch
import torchvision

side, batch, rounds = map(int, sys.argv[1:4])
device = 'cuda' if torch.cuda.is_available() else 'cpu'


def wait():
  if device == 'cuda':
    torch.cuda.synchronize()


def median(work):
  times = []
  for turn in range(-3, rounds):
    start = time.perf_counter()
    work()
    wait()
    if turn >= 0:
      times.append(1000 * (time.perf_counter() - start))
  return statistics.median(times)


def measured(tf32):
  torch.backends.cuda.matmul.allow_tf32 = tf32
  torch.backends.cudnn.allow_tf32 = tf32
  model = torchvision.models.mobilenet_v2(weights=None, num_classes=10).to(device, memory_format=torch.channels_last)
  optimizer = torch.optim.Adam(model.parameters())
  x = torch.rand(batch, 3, side, side, device=device).to(memory_format=torch.channels_last)
  y = torch.arange(batch, device=device) % 10

  def step():
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()

  def forward():
    with torch.no_grad():
      model(x)

  model.eval()
  seconds = median(forward)
  model.train()
  return {'forward': seconds, 'step': median(step)}


print(json.dumps({'engine': f'PyTorch {torch.__version__} on {torch.cuda.get_device_name() if device == "cuda" else "the processor"}',
                  'off': measured(False), 'on': measured(True)}))
