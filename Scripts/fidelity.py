"""Compares `semblance embed` with transformers on a full-size CLIP with random weights. See Scripts/fidelity."""

import glob
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import torch
from PIL import Image
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WORK = os.path.join(ROOT, ".deps", "fidelity")
MODEL = os.path.join(WORK, "models", "clip-ViT-B-32")
MEAN, DEVIATION = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]


def prepare_model():
    """Makes the full-size model with random weights, once."""
    if os.path.exists(os.path.join(MODEL, "vocab.json")):
        return
    torch.manual_seed(1)
    model = CLIPModel(CLIPConfig())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.02)
    model.save_pretrained(MODEL)
    for name in ("merges.txt", "vocab.json"):
        shutil.copy(os.path.join(ROOT, ".deps", "tokenizer", name), MODEL)


def make_jpegs(width, height, count):
    """Coloured waves with grain, which compress like photographs."""
    random = np.random.default_rng(width)
    for index in range(count):
        y, x = np.mgrid[0:height, 0:width] / height
        layers = [127 + 60 * np.sin(a * x + b * y) + 60 * np.cos(c * x * y) for a, b, c in random.uniform(3, 40, (3, 3))]
        pixels = np.stack(layers, -1) + random.normal(0, 6, (height, width, 1))
        path = os.path.join(WORK, f"{width}_{index}.jpg")
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path, quality=85)
        yield path


def make_pictures():
    """JPEG files that are decoded at full scale, and at smaller scales of the cosine transform."""
    paths = [path for size in ((600, 440), (1280, 960), (4000, 3000)) for path in make_jpegs(*size, 4)]
    stamps = sorted(glob.glob(os.path.join(ROOT, ".deps", "stamps", "animals", "birds", "*.png")))[:12]
    return {"PNG": stamps, "JPEG, full scale": paths[:4], "JPEG, 1280": paths[4:8], "JPEG, 12 megapixels": paths[8:]}


def pixels(path):
    image = Image.open(path)
    if image.mode != "RGB":
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, (255, 255, 255))
        white.paste(image, mask=image.getchannel("A"))
        image = white
    short, (width, height) = min(image.size), image.size
    image = image.resize((224 * width // short, 224 * height // short), Image.Resampling.BICUBIC)
    left, top = (image.width - 224) // 2, (image.height - 224) // 2
    array = np.asarray(image.crop((left, top, left + 224, top + 224)), dtype=np.float32) / 255
    return torch.from_numpy(((array - MEAN) / DEVIATION).astype(np.float32).transpose(2, 0, 1)[None])


def embed(arguments, lines=None):
    environment = dict(os.environ, SEMBLANCE_MODELS=os.path.join(WORK, "models"), EMBEDDING_MODEL="clip-ViT-B-32")
    command = [os.path.join(ROOT, ".build", "release", "semblance"), "embed", *arguments]
    output = subprocess.run(command, input=lines, capture_output=True, text=True, check=True, env=environment).stdout
    return [np.array(json.loads(line)["embedding"]) for line in output.split("\n") if line]


def worst_cosine(ours, theirs):
    return min(float(a @ (b / np.linalg.norm(b))) for a, b in zip(ours, theirs, strict=True))


def main():
    os.makedirs(WORK, exist_ok=True)
    prepare_model()
    model = CLIPModel.from_pretrained(MODEL).eval()
    goals = {"PNG": 0.99999, "JPEG, full scale": 0.9999, "JPEG, 1280": 0.999, "JPEG, 12 megapixels": 0.999}
    failed = False
    with torch.no_grad():
        for name, paths in make_pictures().items():
            answers = [model.vision_model(pixel_values=pixels(path)).pooler_output for path in paths]
            theirs = [model.visual_projection(answer)[0].numpy() for answer in answers]
            worst = worst_cosine(embed(paths), theirs)
            failed |= worst < goals[name]
            print(f"{name}: worst cosine {worst:.7f} over {len(paths)} pictures, at least {goals[name]} wanted")
        with open(os.path.join(MODEL, "vocab.json")) as file:
            vocabulary = json.load(file)
        with open(os.path.join(MODEL, "merges.txt")) as file:
            merges = [tuple(line.split(" ")) for line in file.read().split("\n")[1:] if line]
        tokenizer = CLIPTokenizer(vocab=vocabulary, merges=merges)
        with open(os.path.join(ROOT, "Tests", "Fixtures", "tokens.json")) as file:
            texts = [text for text, _ in json.load(file) if text.isprintable()][:100]
        theirs = []
        for text in texts:
            ids = torch.tensor([tokenizer(text, truncation=True, max_length=77)["input_ids"]])
            theirs.append(model.text_projection(model.text_model(input_ids=ids).last_hidden_state[0, -1]).numpy())
        worst = worst_cosine(embed(["--text"], "\n".join(texts) + "\n"), theirs)
        failed |= worst < 0.99999
        print(f"texts: worst cosine {worst:.7f} over {len(texts)}, at least 0.99999 wanted")
    if failed:
        sys.exit("fidelity: farther from the reference than wanted")


if __name__ == "__main__":
    main()
