"""Reads a safetensors file by the rules of the published format alone and prints what it holds as JSON.

Usage: python3 check_safetensors.py FILE. Exit code 1, with the broken rule on stderr, when the file is not valid.
"""

import json
import math
import struct
import sys


def pairs_once(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError(f"duplicate names among {names}")
    return dict(pairs)


def check(data):
    (length,) = struct.unpack_from("<Q", data)
    if length > 100_000_000 or 8 + length > len(data):
        raise ValueError(f"header length {length}")
    header = data[8 : 8 + length]
    if not header.startswith(b"{"):
        raise ValueError("the header does not start with {")
    if (8 + length) % 8 != 0:
        raise ValueError("the data is not aligned to 8 bytes")
    fields = json.loads(header.decode("utf-8"), object_pairs_hook=pairs_once)
    metadata = fields.pop("__metadata__", {})
    if not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError("metadata that is no text")
    body = data[8 + length :]
    covered = 0
    tensors = {}
    for name, field in sorted(fields.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = field["data_offsets"]
        if set(field) != {"dtype", "shape", "data_offsets"} or field["dtype"] != "F32":
            raise ValueError(f"{name}: {field}")
        if begin != covered or end - begin != 4 * math.prod(field["shape"]):
            raise ValueError(f"{name}: offsets {begin} {end} after {covered}")
        covered = end
        tensors[name] = {"shape": field["shape"], "bytes": body[begin:end].hex()}
    if covered != len(body):
        raise ValueError(f"{covered} bytes described, {len(body)} there")
    return {"tensors": tensors, "metadata": metadata}


if __name__ == "__main__":
    try:
        with open(sys.argv[1], "rb") as file:
            json.dump(check(file.read()), sys.stdout)
    except (ValueError, KeyError, struct.error) as error:
        sys.exit(f"invalid: {error}")
