"""Checks every .onnx file in a folder by the standard's own checker, shapes included; prints how many there were."""
import pathlib
import sys

import onnx

files = sorted(pathlib.Path(sys.argv[1]).glob('*.onnx'))
for file in files:
  try:
    onnx.checker.check_model(onnx.load(file), full_check=True)
  except Exception as error:
    sys.exit(f'{file.stem}: {error}')
print(len(files))
