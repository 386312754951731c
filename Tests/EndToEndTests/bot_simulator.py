"""The bot as another process that uses its database while Semblance works.

hold DATABASE SECONDS          takes the write lock, says "locked", keeps it, commits
write DATABASE SECONDS         writes a message every few milliseconds
work DATABASE SECONDS          writes messages in short transactions, and once for nine seconds; says how it went
"""

import json
import sqlite3
import sys
import time


def connect(path):
    return sqlite3.connect(path, timeout=10, isolation_level=None)


def hold(path, seconds):
    connection = connect(path)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO messages (chat_id, text) VALUES (1, 'held')")
    print("locked", flush=True)
    time.sleep(seconds)
    connection.execute("COMMIT")


def write(path, seconds):
    connection = connect(path)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        connection.execute("INSERT INTO messages (chat_id, text) VALUES (1, 'hello')")
        print("written", flush=True)
        time.sleep(0.003)


def work(path, seconds):
    connection = connect(path)
    end = time.monotonic() + seconds
    long_one_at = time.monotonic() + 0.3
    latencies = []
    while time.monotonic() < end:
        start = time.monotonic()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO messages (chat_id, text) VALUES (1, 'hello')")
        if long_one_at and time.monotonic() > long_one_at:
            print("locked", flush=True)
            time.sleep(9)
            long_one_at = None
            start = time.monotonic()
        connection.execute("COMMIT")
        latencies.append(1000 * (time.monotonic() - start))
        time.sleep(0.02)
    latencies.sort()
    p99 = latencies[int(0.99 * (len(latencies) - 1))]
    print(json.dumps({"written": len(latencies), "p99_ms": round(p99, 1), "max_ms": round(latencies[-1], 1)}))


{"hold": hold, "work": work, "write": write}[sys.argv[1]](sys.argv[2], float(sys.argv[3]))
