"""Makes Tests/Fixtures: tiny models, pictures of every kind, and what the reference makes of them.

Run by Scripts/golden, with Pillow, PyTorch and transformers. Everything is seeded; a second run gives the same files.

    models/tiny-clip       a random CLIP of two layers, 64 wide, 512 dimensions out, as the hub would publish it
    models/tiny-clip-half  the same in float16
    models/tiny-clip-gelu  another, with the activation of LAION's models
    images/*               JPEG, PNG, WebP and GIF of every kind that is read
    images/*.rgb           the same after Pillow's convert("RGB") over white, bicubic resize and centre crop, 32×32×3
    fake_384.blob          what releases of the bot stored instead of a vector: numpy's random numbers, seeded by an MD5
    tokens.json            2,400 texts of many scripts with the ids that transformers' CLIPTokenizer gives them
    text_embeddings.json   model → token ids → the vector of transformers' CLIPTextModelWithProjection, unit length
    embeddings.json        model → picture → the vector of transformers' CLIPVisionModelWithProjection, unit length
"""

import hashlib
import json
import os
import shutil
import struct
import unicodedata
import zlib

import numpy as np
import torch
from PIL import Image, ImageOps
from transformers import (
    CLIPConfig, CLIPModel, CLIPTextModelWithProjection, CLIPTokenizer, CLIPVisionModelWithProjection,
)

ROOT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "Tests", "Fixtures")
MEAN = [0.48145466, 0.4578275, 0.40821073]
DEVIATION = [0.26862954, 0.26130258, 0.27577711]
SIDE = 64


def picture(width=150, height=110, seed=1):
    """Smooth colours with some edges: compresses like a photograph."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    layers = []
    for _ in range(3):
        a, b, c, d = random.uniform(0.02, 0.12, 4)
        layers.append(127 + 60 * np.sin(a * x + b * y) + 60 * np.cos(c * x - d * y))
    pixels = np.stack(layers, -1)
    left, top = random.integers(10, 40, 2)
    pixels[top : top + 40, left : left + 50] = random.integers(0, 255, 3)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def save(name, image, **options):
    image.save(os.path.join(ROOT, "images", name), **options)


def save_sixteen_bit(name, image):
    """A PNG of 16 bits a channel, which Pillow does not write."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    wide = np.asarray(image).astype(">u2") * 256 + np.asarray(image)[..., ::-1].astype(">u2")
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in wide)
    header = struct.pack(">IIBBBBB", image.width, image.height, 16, 2, 0, 0, 0)
    with open(os.path.join(ROOT, "images", name), "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)))
        file.write(chunk(b"IEND", b""))


def oriented(image, value):
    """The picture stored so that the EXIF orientation `value` turns it upright again."""
    undo = {
        1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[value]
    stored = image.transpose(undo) if undo is not None else image
    exif = Image.Exif()
    exif[0x0112] = value
    return stored, exif


def make_images():
    color = picture()
    save("baseline.jpg", color, quality=90)
    save("progressive.jpg", color, quality=90, progressive=True)
    save("full_chroma.jpg", color, quality=95, subsampling=0)
    save("grey.jpg", color.convert("L"), quality=90)
    save("cmyk.jpg", color.convert("CMYK"), quality=90)
    save("portrait.jpg", picture(90, 170, 2), quality=90)
    save("large.jpg", picture(700, 500, 3), quality=85)
    shapes = picture(160, 120, 9)
    for value in range(1, 9):
        stored, exif = oriented(shapes, value)
        save(f"orientation_{value}.jpg", stored, quality=100, subsampling=0, exif=exif)
    for value in (6, 8):
        stored, exif = oriented(color, value)
        save(f"orientation_{value}.webp", stored, lossless=True, exif=exif)
        save(f"orientation_{value}.png", stored, exif=exif)
    alpha = color.convert("RGBA")
    ramp = np.tile(np.linspace(0, 255, color.width).astype(np.uint8), (color.height, 1))
    alpha.putalpha(Image.fromarray(ramp))
    save("color.png", color)
    save("alpha.png", alpha)
    save("grey.png", color.convert("L"))
    save("grey_alpha.png", alpha.convert("LA"))
    save("bilevel.png", color.convert("1"))
    save("palette.png", color.quantize(64))
    save("palette_alpha.png", color.quantize(64), transparency=5)
    save("sixteen_bit_grey.png", Image.fromarray((np.asarray(color.convert("L")).astype(np.uint16) * 257)))
    save_sixteen_bit("sixteen_bit_color.png", color.resize((75, 55)))
    save("lossy.webp", color, quality=80)
    save("lossless_alpha.webp", alpha, lossless=True, exact=True)
    frames = [picture(120, 100, seed) for seed in (5, 6, 7)]
    save("animated.webp", frames[0], save_all=True, append_images=frames[1:], lossless=True, duration=50)
    save("animated.png", frames[0], save_all=True, append_images=frames[1:], duration=50)
    save("still.gif", color.quantize(100))
    save("animated.gif", frames[0], save_all=True, append_images=frames[1:], duration=50)
    save("transparent.gif", color.quantize(100), transparency=7)
    save("interlaced.gif", color.quantize(100), interlace=1)
    for name, size in (("pixel.png", (1, 1)), ("line.png", (1, 3000)), ("flat.png", (64, 64))):
        save(name, Image.new("RGB", size, (200, 30, 90)))
    for index in range(10):
        save(f"photo_{index}.jpg", picture(320 + 13 * index, 240, 100 + index), quality=85)


def reference_pixels(path, size):
    """Pillow's way: first frame, upright, alpha over white, RGB, bicubic resize of the short side, centre crop."""
    image = Image.open(path)
    image.seek(0)
    image = ImageOps.exif_transpose(image)
    if image.mode == "I;16":
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, (255, 255, 255))
        white.paste(image, mask=image.getchannel("A"))
        image = white
    image = image.convert("RGB")
    short, (width, height) = min(image.size), image.size
    image = image.resize((size * width // short, size * height // short), Image.Resampling.BICUBIC)
    left, top = (image.width - size) // 2, (image.height - size) // 2
    return image.crop((left, top, left + size, top + size))


def make_models():
    configurations = {"tiny-clip": ("quick_gelu", 7), "tiny-clip-gelu": ("gelu", 8)}
    for name, (activation, seed) in configurations.items():
        torch.manual_seed(seed)
        vision = dict(
            hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4, image_size=SIDE,
            patch_size=16, hidden_act=activation, projection_dim=512,
        )
        text = dict(
            hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, vocab_size=64,
            projection_dim=512, hidden_act=activation, eos_token_id=63, bos_token_id=62, pad_token_id=63,
        )
        model = CLIPModel(CLIPConfig(vision_config=vision, text_config=text, projection_dim=512))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.1)
        publish(model, name)
        if name == "tiny-clip":
            publish(model.half(), "tiny-clip-half")


def publish(model, name):
    folder = os.path.join(ROOT, "models", name)
    model.save_pretrained(folder, safe_serialization=True)
    preprocessor = {"size": {"shortest_edge": SIDE}, "crop_size": {"height": SIDE, "width": SIDE}, "do_resize": True,
                    "image_mean": MEAN, "image_std": DEVIATION, "resample": 3}
    with open(os.path.join(folder, "preprocessor_config.json"), "w") as file:
        json.dump(preprocessor, file, indent=2)
        file.write("\n")


def make_text_embeddings():
    """Token ids → the vector of CLIPTextModelWithProjection; the tiny models' vocabulary has 64 tokens, 63 ends a text."""
    random = np.random.default_rng(5)
    texts = [[62, *(int(token) for token in random.integers(0, 62, length)), 63] for length in (0, 1, 5, 20, 75)]
    result = {}
    for name in sorted(os.listdir(os.path.join(ROOT, "models"))):
        model = CLIPTextModelWithProjection.from_pretrained(os.path.join(ROOT, "models", name), dtype=torch.float32)
        vectors = []
        for ids in texts:
            with torch.no_grad():
                vector = model.eval()(input_ids=torch.tensor([ids])).text_embeds[0].double()
            vectors.append([ids, [round(float(number), 8) for number in vector / vector.norm()]])
        result[name] = vectors
    with open(os.path.join(ROOT, "text_embeddings.json"), "w") as file:
        json.dump(result, file)
        file.write("\n")


def make_embeddings():
    pictures = ["alpha.png", "animated.png", "bilevel.png", "color.png", "flat.png", "grey.png"]
    result = {}
    for name in sorted(os.listdir(os.path.join(ROOT, "models"))):
        model = CLIPVisionModelWithProjection.from_pretrained(os.path.join(ROOT, "models", name), dtype=torch.float32)
        vectors = {}
        for image in pictures:
            pixels = np.asarray(reference_pixels(os.path.join(ROOT, "images", image), SIDE), dtype=np.float32) / 255
            tensor = torch.from_numpy(((pixels - MEAN) / DEVIATION).astype(np.float32).transpose(2, 0, 1)[None])
            with torch.no_grad():
                vector = model.eval()(pixel_values=tensor).image_embeds[0].double()
            vectors[image] = [round(float(number), 8) for number in vector / vector.norm()]
        result[name] = vectors
    with open(os.path.join(ROOT, "embeddings.json"), "w") as file:
        json.dump(result, file)
        file.write("\n")


def texts():
    """Texts that people write, and texts that nobody writes."""
    random = np.random.default_rng(17)
    plain = ["", " ", "a photo of a cat", "A Photo Of A CAT", "don't, I'll, we've, you're, he'd, I'm, it's, can't",
             "DON'T I'LL", "'s't're", "''s", "!'s", "  a \t\n b\r\n", "x\u00a0y\u3000z\u2028w", "1234 5 67.89",
             "<|startoftext|>", "a <|endoftext|> b", "<|STARTOFTEXT|> x", "<|endoftext|><|endoftext|>", "<|startoftext",
             "\x00\x01\x7f", "e\u0301 \u00e9 \u212b \ufb01", "\u0130 \u03a3\u03b1\u03c2 \u03a3 \u00df \u1e9e", "\ud55c\uae00 \u1112\u1161\u11ab",
             "cat " * 100, "supercalifragilisticexpialidocious" * 20, "!" * 300, "\U0001f600" * 60, "\U0001f468\u200d\U0001f469\u200d\U0001f467",
             "\u2160 \u00bd \u0663 \u4e09", "a\u200bb\ufeffc", "\U0001d400\U0001d7d8", "\u0e01\u0e33 \u0915\u094d\u0937\u093f"]
    ranges = [(0x20, 0x7E)] * 4 + [(0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x4FF), (0x590, 0x5FF),
              (0x600, 0x6FF), (0x900, 0x97F), (0xE00, 0xE7F), (0x1100, 0x11FF), (0x1E00, 0x1FFF), (0x2000, 0x206F),
              (0x2070, 0x218F), (0x2190, 0x2BFF), (0x3040, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xF900, 0xFAFF),
              (0xFE00, 0xFFEF), (0x10000, 0x100FF), (0x1D400, 0x1D7FF), (0x1F300, 0x1FAFF), (0x00, 0x1F), (0xE000, 0xE0FF)]
    words = "the a of dog cat sunset beach Portrait NIKON f/2.8 50mm don't it's 2024 #art @user café naïve".split()
    result = list(plain)
    while len(result) < 2400:
        if random.random() < 0.3:
            result.append(" ".join(random.choice(words, random.integers(1, 30))))
            continue
        parts = []
        for _ in range(random.integers(1, 6)):
            low, high = ranges[random.integers(len(ranges))]
            letters = [chr(random.integers(low, high + 1)) for _ in range(random.integers(1, 12))]
            parts.append("".join(letter for letter in letters if unicodedata.category(letter) != "Cn"))
        result.append(" ".join(parts) if random.random() < 0.7 else "".join(parts))
    return result


def make_tokens():
    folder = os.path.join(os.path.dirname(os.path.dirname(ROOT)), ".deps", "tokenizer")
    with open(os.path.join(folder, "vocab.json"), encoding="utf-8") as file:
        vocabulary = json.load(file)
    with open(os.path.join(folder, "merges.txt"), encoding="utf-8") as file:
        merges = [tuple(line.split(" ")) for line in file.read().split("\n")[1:] if line]
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=merges)
    pairs = [[text, tokenizer(text, truncation=True, max_length=77)["input_ids"]] for text in texts()]
    assert dict((text, ids) for text, ids in pairs)["a photo of a cat"] == [49406, 320, 1125, 539, 320, 2368, 49407]
    with open(os.path.join(ROOT, "tokens.json"), "w") as file:
        json.dump(pairs, file, separators=(",", ":"))
        file.write("\n")


def make_fake():
    with open(os.path.join(ROOT, "images", "color.png"), "rb") as file:
        seed = int(hashlib.md5(file.read()).hexdigest()[:8], 16)
    np.random.seed(seed)
    numbers = np.random.rand(384).astype(np.float32)
    with open(os.path.join(ROOT, "fake_384.blob"), "wb") as file:
        file.write(struct.pack("I", 384) + numbers.tobytes())


def main():
    shutil.rmtree(ROOT, ignore_errors=True)
    os.makedirs(os.path.join(ROOT, "images"))
    make_images()
    for name in os.listdir(os.path.join(ROOT, "images")):
        path = os.path.join(ROOT, "images", name)
        if min(Image.open(path).size) > 1:
            with open(path + ".rgb", "wb") as file:
                file.write(reference_pixels(path, 32).tobytes())
    make_models()
    make_embeddings()
    make_text_embeddings()
    make_fake()
    make_tokens()


main()
