"""Measures Semblance beside transformers + PyTorch and ONNX Runtime from Python. See Scripts/bench.

All contenders embed the same files with the same full-size clip-ViT-B-32 (random weights: speed does not depend on them)
and store the vectors in the bot's database. They take turns, several times; the table shows medians. Loading the model is
not counted but in the line that is about it.
"""

import json
import os
import platform
import shutil
import sqlite3
import statistics
import struct
import subprocess
import sys
import time

import fidelity

ROOT, WORK, MODEL = fidelity.ROOT, os.path.join(fidelity.ROOT, ".deps", "bench"), fidelity.MODEL
SEMBLANCE = os.path.join(ROOT, ".build", "release", "semblance")
BENCHMARKS = os.path.join(ROOT, ".build", "release", "Benchmarks")
THREADS = os.cpu_count()
REPETITIONS = 5


def picture_folder(name, size, count):
    """A folder of JPEG files of one size."""
    folder = os.path.join(WORK, name)
    if os.path.isdir(folder) and len(os.listdir(folder)) == count:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for index, path in enumerate(fidelity.make_jpegs(*size, count)):
        os.rename(path, os.path.join(folder, f"{index:03}.jpg"))
    return folder


class Library:
    """A bot's database with the pictures of a folder, none embedded."""

    def __init__(self, folder):
        self.folder, self.path = folder, os.path.join(WORK, "library.db")
        self.environment = dict(
            os.environ, DATABASE_URL=self.path, SEMBLANCE_ROOT=folder, EMBEDDING_MODEL="clip-ViT-B-32",
            SEMBLANCE_MODELS=os.path.dirname(MODEL),
        )
        for name in os.listdir(WORK):
            if name.startswith(("library.db", "semblance.db")):
                os.remove(os.path.join(WORK, name))
        self.run("import", folder, "--user-id", "1")

    def run(self, *arguments):
        command = [SEMBLANCE, *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True).stdout

    def rows(self):
        with sqlite3.connect(self.path) as database:
            return database.execute("SELECT id, coalesce(compressed_path, original_path) FROM images ORDER BY id").fetchall()

    def store(self, vectors):
        with sqlite3.connect(self.path) as database:
            for row, vector in vectors:
                blob = struct.pack("I", len(vector)) + vector.astype("float32").tobytes()
                database.execute("UPDATE images SET embedding = ?, embedding_model = 'x' WHERE id = ?", (blob, row))


def semblance(precision):
    def run(folder):
        library = Library(folder)
        report = json.loads(library.run("generate", "--all-users", "--json", "--precision", precision))
        assert report["embedded"] == len(os.listdir(folder)), report
        return report["embedded"] / report["seconds"]

    return run


class Reference:
    """What the bot's owner would run in Python: Pillow, the published image processor, batches of 32."""

    def __init__(self):
        import onnxruntime
        import torch
        from transformers import CLIPImageProcessor, CLIPModel

        self.torch = torch
        torch.set_num_threads(THREADS)
        self.processor = CLIPImageProcessor()
        self.model = CLIPModel.from_pretrained(MODEL).eval()
        path = os.path.join(WORK, "exported.onnx")
        if not os.path.exists(path):
            self.export(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def export(self, path):
        torch, model = self.torch, self.model

        class Images(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.vision, self.projection = model.vision_model, model.visual_projection

            def forward(self, pixels):
                return self.projection(self.vision(pixel_values=pixels).pooler_output)

        pixels = torch.zeros(2, 3, 224, 224)
        batch = torch.export.Dim("batch", min=1, max=256)
        torch.onnx.export(Images().eval(), (pixels,), path, dynamo=True, dynamic_shapes={"pixels": {0: batch}}, verbose=False)

    def pytorch(self, pixels):
        with self.torch.no_grad():
            answer = self.model.vision_model(pixel_values=self.torch.from_numpy(pixels)).pooler_output
            return self.model.visual_projection(answer).numpy()

    def onnx(self, pixels):
        return self.session.run(None, {self.session.get_inputs()[0].name: pixels})[0]

    def whole(self, model):
        def run(folder):
            import numpy
            from PIL import Image

            library = Library(folder)
            rows, start = library.rows(), time.monotonic()
            for first in range(0, len(rows), 32):
                part = rows[first : first + 32]
                images = [Image.open(os.path.join(folder, path)).convert("RGB") for _, path in part]
                vectors = model(self.processor(images=images, return_tensors="np")["pixel_values"].astype("float32"))
                vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
                library.store(zip([row for row, _ in part], vectors))
            return len(rows) / (time.monotonic() - start)

        return run

    def alone(self, model):
        def run(_):
            import numpy

            pixels = numpy.zeros((32, 3, 224, 224), dtype=numpy.float32)
            start = time.monotonic()
            for _ in range(3):
                model(pixels)
            return 96 / (time.monotonic() - start)

        return run


def model_alone(precision):
    def run(_):
        return benchmark("model-stage", MODEL, "--precision", precision, "--threads", str(THREADS))["images_per_second"]

    return run


def benchmark(*arguments):
    output = subprocess.run([BENCHMARKS, *arguments], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return json.loads(output)


def first_vector(folder):
    """Seconds from the start of a process to its first stored vector, the weights in the page cache."""
    times = {"Semblance float32": [], "Semblance int8": [], "Python": []}
    for _ in range(REPETITIONS):
        for precision in ("float32", "int8"):
            library, start = Library(folder), time.monotonic()
            library.run("generate", "--all-users", "--limit", "1", "--precision", precision)
            times[f"Semblance {precision}"].append(time.monotonic() - start)
        Library(folder)
        start = time.monotonic()
        subprocess.run([sys.executable, __file__, "first", folder], check=True, capture_output=True)
        times["Python"].append(time.monotonic() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def first(folder):
    """The Python side of `first_vector`."""
    import numpy
    import torch
    from PIL import Image
    from transformers import CLIPImageProcessor, CLIPModel

    model, processor = CLIPModel.from_pretrained(MODEL).eval(), CLIPImageProcessor()
    library = Library.__new__(Library)
    library.path = os.path.join(WORK, "library.db")
    row, path = library.rows()[0]
    image = Image.open(os.path.join(folder, path)).convert("RGB")
    with torch.no_grad():
        pixels = torch.from_numpy(processor(images=[image], return_tensors="np")["pixel_values"].astype("float32"))
        vector = model.visual_projection(model.vision_model(pixel_values=pixels).pooler_output)[0].numpy()
    library.store([(row, vector / numpy.linalg.norm(vector))])


def memory(count):
    """Resident memory while many pictures are embedded: the most in each quarter of the run, and at all."""
    source = picture_folder("1280", (1280, 960), 96)
    folder = os.path.join(WORK, "many")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for index in range(count):
        os.link(os.path.join(source, f"{index % 96:03}.jpg"), os.path.join(folder, f"{index:06}.jpg"))
    for precision in ("int8", "float32"):
        report, samples = watch(folder, precision, 1)
        length = len(samples)
        quarters = [max(rss for rss, _ in samples[length * q // 4 : length * (q + 1) // 4]) for q in range(4)]
        print(f"{precision}: {report['embedded']} pictures at {report['images_per_second']} images/s; resident MB at most in "
              f"each quarter {quarters}, at all {max(peak for _, peak in samples)}", flush=True)


def watch(folder, precision, interval):
    """Embeds a folder; the report, and resident memory now and at most so far, in MB, again and again."""
    library = Library(folder)
    command = [SEMBLANCE, "generate", "--all-users", "--precision", precision, "--batch-size", "100", "--json"]
    process = subprocess.Popen(command, env=library.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    samples = []
    while process.poll() is None:
        with open(f"/proc/{process.pid}/status") as status:
            lines = dict(line.split(":", 1) for line in status if ":" in line)
        if "VmRSS" in lines:
            samples.append([int(lines[name].split()[0]) // 1000 for name in ("VmRSS", "VmHWM")])
        time.sleep(interval)
    return json.loads(process.stdout.read()), samples


def search():
    """The ten nearest, by every way; sqlite-vec's own scan beside them."""
    print("\n| the ten nearest of 512 components, all the same, ms | 1,000 | 100,000 | 1,000,000 |\n|---|---|---|---|")
    results = [benchmark("search-stage", "--count", str(count)) for count in (1_000, 100_000, 1_000_000)]
    rows = (
        ("in memory, 8 bits and exact re-ranking", "resident"), ("the same, one person's thousand", "resident_user"),
        ("in memory, 32 bits", "scan"), ("sqlite-vec, in memory", "sqlite_vec"),
        ("one question from the start, through the index", "question_index"),
        ("one question from the start, through a scan", "question_scan"), ("memory, MB", "resident_megabytes"),
    )
    for title, name in rows:
        values = (f"{result[name]:.2f}" if name in result else "" for result in results)
        print(f"| {title} | {' | '.join(values)} |", flush=True)


def table():
    telegram, camera = picture_folder("1280", (1280, 960), 96), picture_folder("4000", (4000, 3000), 24)
    reference = Reference()
    contenders = {
        "Semblance float32": semblance("float32"), "Semblance int8": semblance("int8"),
        "transformers + PyTorch": reference.whole(reference.pytorch),
        "ONNX Runtime from Python": reference.whole(reference.onnx),
    }
    ceilings = {
        "Semblance float32": model_alone("float32"), "Semblance int8": model_alone("int8"),
        "transformers + PyTorch": reference.alone(reference.pytorch),
        "ONNX Runtime from Python": reference.alone(reference.onnx),
    }
    small, large, alone = {}, {}, {}
    for run in contenders.values():
        run(telegram)
    rates = {name: ([], [], []) for name in contenders}
    for _ in range(REPETITIONS):
        for name in contenders:
            for values, run, folder in zip(rates[name], (contenders[name], contenders[name], ceilings[name]), (telegram, camera, None)):
                values.append(run(folder))
    for name, values in rates.items():
        small[name], large[name], alone[name] = map(statistics.median, values)
    base = "transformers + PyTorch"
    with open("/proc/cpuinfo") as info:
        processor = next(line.split(":")[1].strip() for line in info if line.startswith("model name"))
    print(f"{processor}, {THREADS} cores, {platform.system()}; medians of {REPETITIONS} turns.\n")
    print("| images/s | 1280×960 JPEG | ÷ PyTorch | 12 megapixels | ÷ PyTorch | model alone |")
    print("|---|---|---|---|---|---|")
    for name in contenders:
        print(f"| {name} | {small[name]:.1f} | {small[name] / small[base]:.2f} | {large[name]:.1f} "
              f"| {large[name] / large[base]:.2f} | {alone[name]:.1f} |")
    print("\n| | |\n|---|---|")
    for precision in ("float32", "int8"):
        name = f"Semblance {precision}"
        print(f"| whole pipeline ÷ model alone, 1280×960, {precision} | {small[name] / alone[name]:.2f} |")
    for size, folder in (("1280×960", telegram), ("12 megapixels", camera)):
        files = [os.path.join(folder, name) for name in sorted(os.listdir(folder))[:8]]
        stage = benchmark("image-stage", *files)
        print(f"| image stage, {size}: ms of processor time, ÷ libjpeg-turbo's decode | "
              f"{stage['image_stage_ms']:.1f}, {stage['ratio']:.2f} |")
    times = first_vector(telegram)
    for name, seconds in times.items():
        print(f"| start to first stored vector, {name} | {seconds:.2f} s, {times['Python'] / seconds:.1f}× |")
    for precision in ("float32", "int8"):
        _, samples = watch(telegram, precision, 0.02)
        print(f"| peak resident memory, {precision} | {max(peak for _, peak in samples)} MB |")
    text = benchmark("text-stage", MODEL, "--threads", str(THREADS))
    print(f"| text → vector, warm | {text['text_ms']:.1f} ms |")
    search()


def main():
    os.makedirs(WORK, exist_ok=True)
    if sys.argv[1:2] == ["first"]:
        return first(sys.argv[2])
    fidelity.prepare_model()
    if sys.argv[1:2] == ["search"]:
        return search()
    if sys.argv[1:2] == ["memory"]:
        return memory(int(sys.argv[2]))
    table()


main()
