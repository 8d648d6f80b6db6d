"""Checks every ONNX file of a folder by onnx.checker, types and shapes of all values included. Prints the name of each that is right."""

import pathlib
import sys

import onnx

for path in sorted(pathlib.Path(sys.argv[1]).glob("*.onnx")):
    onnx.checker.check_model(str(path), full_check=True)
    print(path.name)
