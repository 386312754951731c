#!/usr/bin/env python3
"""Turns the published weights of EfficientNet-Lite0 into a model folder that Semblance reads.

The input is a PyTorch state dict in the format from before zip files: four pickles (a magic number, a protocol
version, system facts, the dictionary), a pickled list of storage keys, then each storage's length and bytes. Nothing
but the standard library is used, and the unpickler refuses every global but the tensor builders.

Usage: convert_efficientnet.py WEIGHTS.pth MODEL_FOLDER
"""

import array
import collections
import hashlib
import json
import os
import pickle
import struct
import sys

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001


class Storage:
    """A flat run of float32 numbers; its bytes are read after the pickles."""

    def __init__(self, key, count):
        self.key, self.count, self.data = key, count, b""


class Tensor:
    """A view of a storage."""

    def __init__(self, storage, offset, shape, strides):
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides

    def bytes(self):
        """The numbers row by row, whatever order they are stored in."""
        numbers = array.array("f", self.storage.data)
        ordered = array.array("f")
        axes = [(side, stride) for side, stride in zip(self.shape, self.strides) if side > 1] or [(1, 1)]
        self.gather(numbers, self.offset, axes, ordered)
        return ordered.tobytes()

    def gather(self, numbers, start, axes, ordered):
        (side, stride), inner = axes[0], axes[1:]
        if not inner:
            ordered.extend(numbers[start : start + side * stride : stride][:side])
        elif self.is_packed(axes):
            ordered.extend(numbers[start : start + side * stride])
        else:
            for index in range(side):
                self.gather(numbers, start + index * stride, inner, ordered)

    @staticmethod
    def is_packed(axes):
        count = 1
        for side, stride in reversed(axes):
            if stride != count:
                return False
            count *= side
        return True


def rebuild_tensor(storage, offset, shape, strides, *_):
    return Tensor(storage, offset, shape, strides)


class Unpickler(pickle.Unpickler):
    storages = {}
    allowed = {
        ("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor,
        ("torch._utils", "_rebuild_tensor"): rebuild_tensor,
        ("torch", "FloatStorage"): "float32",
        ("torch", "LongStorage"): "int64",
        ("collections", "OrderedDict"): collections.OrderedDict,
    }

    def find_class(self, module, name):
        if (module, name) not in self.allowed:
            raise pickle.UnpicklingError(f"the weights name {module}.{name}, which is refused")
        return self.allowed[module, name]

    def persistent_load(self, identifier):
        kind, element, key, _, count, *_ = identifier
        if kind != "storage":
            raise pickle.UnpicklingError("the weights refer to something that is no storage")
        if key not in self.storages:
            self.storages[key] = Storage(key, count)
            self.storages[key].width = 8 if element == "int64" else 4
        return self.storages[key]


def read_tensors(path):
    with open(path, "rb") as file:
        if Unpickler(file).load() != MAGIC or Unpickler(file).load() != PROTOCOL:
            sys.exit(f"{path} is no PyTorch file of the old format")
        Unpickler(file).load()
        tensors = Unpickler(file).load()
        for key in Unpickler(file).load():
            storage = Unpickler.storages[key]
            (count,) = struct.unpack("<q", file.read(8))
            storage.data = file.read(storage.width * count)
            if count != storage.count or len(storage.data) != storage.width * count:
                sys.exit(f"{path} is cut off")
    return {name: tensor for name, tensor in tensors.items() if tensor.storage.width == 4}


def write(path, content):
    """Gives the file its name only when it is whole."""
    with open(path + ".part", "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".part", path)


def safetensors(tensors):
    header, offset, chunks = {}, 0, []
    for name in sorted(tensors):
        data = tensors[name].bytes()
        header[name] = {
            "dtype": "F32",
            "shape": list(tensors[name].shape),
            "data_offsets": [offset, offset + len(data)],
        }
        offset += len(data)
        chunks.append(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(chunks)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    files = {
        "model.safetensors": safetensors(read_tensors(source)),
        "config.json": json.dumps({"model_type": "efficientnet-lite0"}).encode() + b"\n",
    }
    manifest = {
        name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()} for name, content in files.items()
    }
    files["semblance.json"] = json.dumps({"files": manifest}, indent=2).encode() + b"\n"
    for name, content in files.items():
        write(os.path.join(folder, name), content)


main()
