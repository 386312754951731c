"""A web server with the bot's pictures.

    media_simulator.py FOLDER

Prints its port. What it does wrong stands in FOLDER/mode: "500", "redirect", "forbidden", "silent", "half"; without that
file it does nothing wrong. What it was asked for is appended to FOLDER/asked.
"""
import http.server
import os
import sys
import time

folder = sys.argv[1]


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, *arguments):
        super().__init__(*arguments, directory=folder)

    def log_message(self, *_):
        pass

    def mode(self):
        try:
            with open(os.path.join(folder, "mode")) as file:
                return file.read().strip()
        except FileNotFoundError:
            return ""

    def misbehave(self):
        with open(os.path.join(folder, "asked"), "a") as file:
            file.write(f"{self.command} {self.path}\n")
        mode = self.mode()
        if mode in ("500", "forbidden"):
            self.send_error(500 if mode == "500" else 403)
        elif mode == "redirect":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere.jpg")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif mode == "half":
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b"x" * 1000)
            self.close_connection = True
        elif mode == "silent":
            time.sleep(3)
            self.close_connection = True
        else:
            return False
        return True

    def do_GET(self):
        if not self.misbehave():
            super().do_GET()

    def do_HEAD(self):
        if not self.misbehave():
            super().do_HEAD()


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
