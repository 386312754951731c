"""The bot as another process that uses its database while Semblance works.

hold DATABASE SECONDS          takes the write lock, says "locked", keeps it, commits
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


def work(path, seconds):
    connection = connect(path)
    end = time.monotonic() + seconds
    long_one_at = time.monotonic() + 0.3
    written = 0
    while time.monotonic() < end:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO messages (chat_id, text) VALUES (1, 'hello')")
        if long_one_at and time.monotonic() > long_one_at:
            print("locked", flush=True)
            time.sleep(9)
            long_one_at = None
        connection.execute("COMMIT")
        written += 1
        time.sleep(0.02)
    print(json.dumps({"written": written}))


{"hold": hold, "work": work}[sys.argv[1]](sys.argv[2], float(sys.argv[3]))
