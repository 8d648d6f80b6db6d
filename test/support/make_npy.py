"""Writes test/support/npyFiles.json: what NumPy makes of some arrays, as base64, with their values. Run by hand: python3 test/support/make_npy.py"""

import base64
import io
import json
import os

import numpy as np


def saved(save, *args, **kwargs):
    file = io.BytesIO()
    save(file, *args, **kwargs)
    return base64.b64encode(file.getvalue()).decode()


values = {
    "u1": [0, 1, 254, 255, 7, 9],
    "b1": [0, 1, 1, 0, 1, 0],
    "i1": [-128, 127, 0, -1, 5, 6],
    "u2": [0, 65535, 256, 1, 2, 3],
    "i2": [-32768, 32767, 256, -1, 2, 3],
    "u4": [0, 2147483647, 65536, 1, 2, 3],
    "i4": [-2147483648, 2147483647, 65536, -1, 2, 3],
    "u8": [0, 2147483647, 65536, 1, 2, 3],
    "i8": [-2147483648, 2147483647, 65536, -1, 2, 3],
    "f2": [0.5, -2.25, 65504, 6.103515625e-05, 5.960464477539063e-08, -0.0],
    "f4": [0.5, -2.25, 16777216, 1.5, 1e-45, 0.1],
    "f8": [0.5, -2.25, 16777216, 1.5, 0.1, 3e38],
}
files = []
for kind, numbers in values.items():
    for order in "<>":
        array = np.array(numbers).astype(np.dtype(order + kind)).reshape(2, 3)
        files.append({"name": order + kind, "file": saved(np.save, array), "shape": [2, 3], "values": numbers})
cube = np.arange(24, dtype="<f4").reshape(2, 3, 4)
files.append({"name": "Fortran order", "file": saved(np.save, np.asfortranarray(cube)), "shape": [2, 3, 4], "values": cube.ravel().tolist()})
files.append({"name": "a number", "file": saved(np.save, np.float64(2.5)), "shape": [], "values": [2.5]})
files.append({"name": "no numbers", "file": saved(np.save, np.zeros((0, 3), "<i8")), "shape": [0, 3], "values": []})
others = {
    "texts": np.array(["one", "two"]),
    "complex numbers": np.array([1j]),
    "records": np.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", "<f4")]),
    "times": np.array(["2020-01-01"], dtype="datetime64[D]"),
    "objects": np.array([None, 1], dtype=object),
    "long doubles": np.zeros(2, np.longdouble),
}
arrays = {"x_train": np.arange(12, dtype=np.uint8).reshape(3, 2, 2), "y_train": np.array([2, 0, 1])}
result = {
    "files": files,
    "others": [{"name": name, "file": saved(np.save, array)} for name, array in others.items()],
    "archives": {"savez": saved(np.savez, **arrays), "savez_compressed": saved(np.savez_compressed, **arrays)},
}
with open(os.path.join(os.path.dirname(__file__), "npyFiles.json"), "w", encoding="utf8") as out:
    json.dump(result, out, indent=1)
    out.write("\n")
