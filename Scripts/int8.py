"""Lays out a trained ViT-S/14 as the layers of a CLIP vision tower, with the stamps as embedded patches. See Scripts/int8.

The network's layer scales are multiplied into the weights before them, and its patches and positions are computed here,
so that what remains is what CLIP's layers are: norm, attention, norm, MLP. Writes model.safetensors, config.json,
tokens.f32 (pictures × 257 × 384) and labels.txt.
"""

import collections
import glob
import json
import os
import struct
import sys

import numpy as np
import onnx
from onnx import numpy_helper
from PIL import Image

from quality import EXCLUDED

LAYERS = 11


def tensors(path):
    graph = onnx.load(path).graph
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    linear = {}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in weights:
            name = node.name.split("layer.")[1].split("/MatMul")[0].replace("/", ".")
            linear[name] = weights[node.input[1]].T
    return weights, linear


def layers(weights, linear):
    names = {"query": "q_proj", "key": "k_proj", "value": "v_proj"}
    for layer in range(LAYERS):
        old, new = f"backbone.encoder.layer.{layer}.", f"vision_model.encoder.layers.{layer}."
        for norm in (1, 2):
            for part in ("weight", "bias"):
                yield f"{new}layer_norm{norm}.{part}", weights[f"{old}norm{norm}.{part}"]
        for name, ours in names.items():
            yield f"{new}self_attn.{ours}.weight", linear[f"{layer}.attention.attention.{name}"]
            yield f"{new}self_attn.{ours}.bias", weights[f"{old}attention.attention.{name}.bias"]
        yield f"{new}mlp.fc1.weight", linear[f"{layer}.mlp.fc1"]
        yield f"{new}mlp.fc1.bias", weights[f"{old}mlp.fc1.bias"]
        for name, ours, scale in (("attention.output.dense", "self_attn.out_proj", 1), ("mlp.fc2", "mlp.fc2", 2)):
            factor = weights[f"{old}layer_scale{scale}.lambda1"]
            yield f"{new}{ours}.weight", linear[f"{layer}.{name}"] * factor[:, None]
            yield f"{new}{ours}.bias", weights[f"{old}{name}.bias"] * factor


def positions(weights):
    """The trained 37×37 positions, resized to 16×16 by the file's own rule (cubic, on a grid that keeps its ends)."""
    import torch

    table = next(value for name, value in weights.items() if value.shape == (1, 1369, 384))
    grid = torch.from_numpy(table.copy()).reshape(1, 37, 37, 384).permute(0, 3, 1, 2)
    small = torch.nn.functional.interpolate(grid, size=(16, 16), mode="bicubic", align_corners=False)
    first = next(value for name, value in weights.items() if name.startswith("onnx::Concat") and value.shape == (1, 1, 384))
    return np.concatenate([first[0], small.permute(0, 2, 3, 1).reshape(256, 384).numpy()])


def pictures(folder):
    found = []
    for path in sorted(glob.glob(os.path.join(folder, "**", "*.png"), recursive=True)):
        name = os.path.relpath(path, folder)
        if not any(word in name for word in EXCLUDED):
            found.append((path, "/".join(name.split("/")[:-1][:2])))
    sizes = collections.Counter(label for _, label in found)
    return [(path, label) for path, label in found if sizes[label] >= 4]


def pixels(path):
    image = Image.open(path).convert("RGBA")
    white = Image.new("RGB", image.size, (255, 255, 255))
    white.paste(image, mask=image.getchannel("A"))
    short = min(white.size)
    white = white.resize((224 * white.width // short, 224 * white.height // short), Image.Resampling.BICUBIC)
    left, top = (white.width - 224) // 2, (white.height - 224) // 2
    array = np.asarray(white.crop((left, top, left + 224, top + 224)), dtype=np.float32) / 255
    return ((array - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]).astype(np.float32)


def embed(path, weights, places):
    kernel = weights["backbone.embeddings.patch_embeddings.projection.weight"].transpose(2, 3, 1, 0).reshape(-1, 384)
    patches = pixels(path).reshape(16, 14, 16, 14, 3).transpose(0, 2, 1, 3, 4).reshape(256, -1) @ kernel
    patches += weights["backbone.embeddings.patch_embeddings.projection.bias"]
    return np.concatenate([weights["backbone.embeddings.cls_token"][0], patches]) + places


def save(path, tensors):
    header, data, offset = {}, [], 0
    for name, tensor in tensors:
        raw = np.ascontiguousarray(tensor, dtype="<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + len(raw)]}
        offset += len(raw)
        data.append(raw)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.writelines(data)


def main():
    source, stamps, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    weights, linear = tensors(source)
    save(os.path.join(folder, "model.safetensors"), layers(weights, linear))
    vision = {
        "hidden_size": 384, "intermediate_size": 1536, "num_hidden_layers": LAYERS, "num_attention_heads": 6,
        "hidden_act": "gelu", "layer_norm_eps": 1e-6, "image_size": 224, "patch_size": 14,
    }
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump({"model_type": "clip", "projection_dim": 384, "vision_config": vision, "text_config": {}}, file)
    places, found = positions(weights), pictures(stamps)
    with open(os.path.join(folder, "tokens.f32"), "wb") as file:
        for path, _ in found:
            file.write(embed(path, weights, places).astype("<f4").tobytes())
    with open(os.path.join(folder, "labels.txt"), "w") as file:
        file.writelines(label + "\n" for _, label in found)


main()
