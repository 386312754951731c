"""A model hub on a loopback port, with the faults of real ones.

It answers as the Hugging Face hub does: `/<repository>/resolve/<revision>/<file>` gives small files with git's digest as
the ETag, and redirects for large ones to a storage on another port, naming their SHA-256 in X-Linked-ETag; the storage
honours Range. Usage: hub_simulator.py FOLDER REPOSITORY LOG [FAULT=COUNT …], each fault being shown COUNT times:

    busy         429 with Retry-After: 1          unavailable  503
    cut          the storage closes the connection after 100,000 bytes
    short        the same, but it closes after 1,000 bytes
    wrong        the storage sends other bytes    long         the storage sends more than it should
    drip         a byte every 50 ms               silent       the head, then nothing
    whole        Range is not honoured            missing      404 for every file
    private      401 without the token "secret"   circle       redirects to itself

It ends with the process that started it. It prints its port, and writes every request into LOG as "METHOD path authorization range".
"""

import hashlib
import os
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FOLDER, REPOSITORY, LOG = sys.argv[1:4]
FAULTS = {name: int(count) for name, count in (argument.split("=") for argument in sys.argv[4:])}
LOCK = threading.Lock()
LARGE = 100_000


def shows(fault):
    with LOCK:
        FAULTS[fault] = FAULTS.get(fault, 0) - 1
        return FAULTS[fault] >= 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def note(self):
        with LOCK, open(LOG, "a") as log:
            authorization, span = self.headers.get("Authorization", "-"), self.headers.get("Range", "-")
            log.write(f"{self.command} {self.path} {authorization} {span}\n")

    def answer(self, status, headers=(), body=b"", length=None):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def content(self, name):
        path = os.path.join(FOLDER, name)
        if "/" in name or not os.path.exists(path):
            return None
        with open(path, "rb") as file:
            return file.read()


class HubHandler(Handler):
    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        self.note()
        prefix, _, name = self.path.rpartition("/")
        repository, _, revision = prefix[1:].partition("/resolve/")
        content = self.content(name)
        if shows("busy"):
            return self.answer(429, [("Retry-After", "1")])
        if shows("unavailable"):
            return self.answer(503)
        if FAULTS.get("private") and self.headers.get("Authorization") != "Bearer secret":
            return self.answer(401)
        if shows("circle"):
            return self.answer(307, [("Location", self.path)])
        if repository != REPOSITORY or revision != "main" or content is None or FAULTS.get("missing"):
            return self.answer(404, body=b"Entry not found")
        commit = [("X-Repo-Commit", "0" * 40)]
        if len(content) < LARGE:
            digest = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            return self.answer(200, commit + [("ETag", f'"{digest}"')], content)
        digest = hashlib.sha256(content).hexdigest()
        address = f"http://127.0.0.1:{storage.server_port}/{name}?signature=abc"
        linked = [("X-Linked-ETag", f'"{digest}"'), ("X-Linked-Size", str(len(content))), ("Location", address)]
        self.answer(302, commit + linked)


class StorageHandler(Handler):
    def do_GET(self):
        self.note()
        content = self.content(self.path[1:].partition("?")[0])
        start = 0
        span = self.headers.get("Range")
        if span and not shows("whole"):
            start = int(span.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                return self.answer(416, [("Content-Range", f"bytes */{len(content)}")])
        total, rest = len(content), content[start:]
        if shows("wrong"):
            rest = bytes(len(rest))
        if shows("long"):
            rest += b"more"
        headers = [("ETag", '"storage"'), ("Accept-Ranges", "bytes")]
        if start:
            headers.append(("Content-Range", f"bytes {start}-{total - 1}/{total}"))
        for fault, length in (("cut", 100_000), ("short", 1_000)):
            if shows(fault):
                self.answer(206 if start else 200, headers, rest[:length], len(rest))
                return self.close()
        if shows("silent"):
            self.answer(206 if start else 200, headers, b"", len(rest))
            time.sleep(5)
            return self.close()
        if shows("drip"):
            self.answer(206 if start else 200, headers, b"", len(rest))
            for position in range(100):
                self.wfile.write(rest[position : position + 1])
                self.wfile.flush()
                time.sleep(0.05)
            return self.close()
        self.answer(206 if start else 200, headers, rest)

    def close(self):
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)


def end_with(parent):
    """A test that crashes cannot end its hub."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
storage = ThreadingHTTPServer(("127.0.0.1", 0), StorageHandler)
threading.Thread(target=storage.serve_forever, daemon=True).start()
hub = ThreadingHTTPServer(("127.0.0.1", 0), HubHandler)
print(hub.server_port, flush=True)
hub.serve_forever()
