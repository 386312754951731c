"""Changes the model of the demo library back and forth while it is asked constantly and its runs are killed.

Every answer has to be the whole answer of one of the two models. After each kill the bot reads its database, as a running
bot would, which puts right what was begun in it; a question in between is asked again. Ends with what was counted.
"""

import collections
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DEMO = os.path.join(ROOT, ".demo")
PROGRAM = os.path.join(ROOT, ".build/release/semblance")
KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 100
FIRST, SECOND = "efficientnet-lite0", "tiny-clip"
IDS = (3, 50, 111, 300, 640)


def environment(model):
    return dict(
        os.environ, EMBEDDING_MODEL=model, SEMBLANCE_MODELS=os.path.join(DEMO, "models"),
        SEMBLANCE_ROOT=os.path.join(ROOT, ".deps/stamps"),
    )


def semblance(*arguments, model=FIRST):
    for _ in range(100):
        done = subprocess.run([PROGRAM, *arguments], cwd=DEMO, env=environment(model), capture_output=True, text=True)
        if "in the middle of a write" not in done.stderr:
            break
        time.sleep(0.02)
    if done.returncode:
        raise SystemExit(f"{arguments} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def answer(image):
    """What `similar` says: the model, and what it found."""
    found = json.loads(semblance("similar", str(image), "--json", "--threshold", "-1", "--scope", "all"))
    return found["model"], tuple((hit["image_id"], hit["similarity"]) for hit in found["similar"])


def answers():
    return {image: answer(image) for image in IDS}


def read_as_the_bot():
    database = sqlite3.connect(os.path.join(DEMO, "data/telegram_agent.db"), timeout=30)
    database.execute("SELECT count(*) FROM images").fetchone()
    database.close()


def models():
    folder = os.path.join(DEMO, "models")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(os.path.join(ROOT, ".deps/models", FIRST), os.path.join(folder, FIRST))
    shutil.copytree(os.path.join(ROOT, "Tests/Fixtures/models", SECOND), os.path.join(folder, SECOND))


def watch(expected, counts, stop):
    """Asks until it is told to stop."""
    while not stop.is_set():
        image = random.choice(IDS)
        model, found = answer(image)
        if (model, found) != expected[model][image]:
            os.write(2, f"image {image}: {found} is no answer of {model}\n".encode())
            os._exit(1)
        counts[model] += 1


def main():
    random.seed(1)
    models()
    semblance("generate", "--all-users")
    expected = {FIRST: answers()}
    semblance("generate", "--all-users", "--no-backup", model=SECOND)
    expected[SECOND] = answers()
    assert {model for model, _ in expected[SECOND].values()} == {SECOND}
    semblance("space", "rollback")
    semblance("space", "purge", SECOND)
    counts, stop = collections.Counter(), threading.Event()
    watcher = threading.Thread(target=watch, args=(expected, counts, stop), daemon=True)
    watcher.start()
    kills, changes, wanted = 0, 0, SECOND
    while kills < KILLS:
        command = [PROGRAM, "generate", "--all-users"]
        run = subprocess.Popen(command, cwd=DEMO, env=environment(wanted), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0.02, 0.6))
        if run.poll() is None:
            run.send_signal(signal.SIGKILL)
            kills += 1
        run.wait()
        read_as_the_bot()
        semblance("stats", "--json")
        if answer(IDS[0])[0] == wanted and run.returncode == 0:
            changes += 1
            other = FIRST if wanted == SECOND else SECOND
            semblance("space", "purge", other)
            wanted = other
    semblance("generate", "--all-users", model=wanted)
    stop.set()
    watcher.join()
    for image in IDS:
        assert answer(image) == expected[wanted][image], image
    semblance("verify")
    print(f"{kills} kills, {changes + 1} changes of the model, {sum(counts.values())} answers meanwhile {dict(counts)}: each whole")


main()
