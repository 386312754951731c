"""Telegram's Bot API on a loopback port, with the manners and the faults of the real one.

It keeps updates until an offset confirms them, holds a question that is repeated too soon, ends a poll when another begins
(409), answers 409 while a webhook is set, gives files for a while, refuses files above 20 MB, and checks what is sent.
Usage: telegram_simulator.py TOKEN. It prints its port, and ends with the process that started it. What people do, what goes
wrong, and what was sent goes over /control/NAME as JSON:

    batch    {items}: several of the next at once
    say      {chat, from, text?, caption?, photo?, document?, album?, reply_to?, unique?, date?, copies?, id?}: an update
    press    {chat, from, data}: a button
    faults   {"share": {"429": 0.05, "500": 0.05, "hang": 0.02}, "seed": 1, "script": {"getFile": ["500", "half"]}}
    state    what was sent, which calls came too early, how many came of each method, how many updates wait, how many
             messages were taken without an answer
    forget   {file}: a file is gone            block   {chat}: the user has blocked the bot
    numbers  {next}: the next update's number
"""

import hashlib
import json
import os
import random
import re
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = sys.argv[1]
LOCK = threading.Condition()
LARGEST = 20 << 20


class State:
    updates, sent, early, counts, lost = [], [], [], {}, 0
    files, paths, blocked, pauses = {}, {}, set(), {}
    next_update, next_message = 1000, 1
    webhook, poll, last_poll = None, 0, (None, 0.0)
    share, script, random = {}, {}, random.Random(1)
    texts, messages = {}, {}


S = State()


class Refusal(Exception):
    def __init__(self, code, description, **parameters):
        self.code, self.description, self.parameters = code, description, parameters


def file_of(path, unique=None):
    data = open(path, "rb").read()
    name = hashlib.sha256(data + os.urandom(8)).hexdigest()[:40]
    S.files["AgAC" + name] = {"data": data, "kind": "photo"}
    return "AgAC" + name, unique or "AQAD" + hashlib.sha256(data).hexdigest()[:12], len(data)


def message(what, number):
    person = {"id": what["from"], "is_bot": False, "first_name": what.get("name", "A"), "language_code": what.get("language", "en")}
    kind = "private" if what["chat"] > 0 else "supergroup"
    made = {"message_id": number, "date": what.get("date", int(time.time())), "chat": {"id": what["chat"], "type": kind, "title": "t"},
            "from": person, "entities_of_tomorrow": [{"unknown": True}]}
    for name in ("text", "caption"):
        if name in what:
            made[name] = what[name]
    if "photo" in what:
        identity, unique, size = file_of(what["photo"], what.get("unique"))
        small, _, _ = file_of(what["photo"])
        made["photo"] = [
            {"file_id": small, "file_unique_id": unique + "s", "width": 90, "height": 60, "file_size": min(size, 2000)},
            {"file_id": identity, "file_unique_id": unique, "width": 900, "height": 600, "file_size": what.get("size", size)}]
    if "document" in what:
        identity, unique, size = file_of(what["document"], what.get("unique"))
        S.files[identity]["kind"] = "document"
        made["document"] = {"file_id": identity, "file_unique_id": unique, "file_name": what.get("file_name", "a.jpg"),
                            "mime_type": "image/jpeg", "file_size": what.get("size", size)}
    if "album" in what:
        made["media_group_id"] = what["album"]
    if "reply_to" in what:
        made["reply_to_message"] = S.messages.get(what["reply_to"])
    S.messages[number] = {key: value for key, value in made.items() if key != "reply_to_message"}
    return made


def push(update, copies=1):
    update["update_id"] = S.next_update
    S.next_update += 1
    if S.webhook:
        threading.Thread(target=call_webhook, args=(dict(update), copies)).start()
    else:
        S.updates += [update] * copies
    LOCK.notify_all()


def call_webhook(update, copies):
    for _ in range(copies):
        for attempt in range(20):
            request = urllib.request.Request(
                S.webhook["local"], json.dumps(update).encode(),
                {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": S.webhook["secret"], "Host": S.webhook["host"]})
            try:
                urllib.request.urlopen(request, timeout=10).read()
                break
            except OSError:
                time.sleep(min(2 ** attempt, 5))


def control(name, what):
    if name == "batch":
        return [control("say", item) for item in what["items"]][-1]
    with LOCK:
        if name == "say":
            number = S.next_message
            S.next_message += 1
            push({"message": message(what, number)}, what.get("copies", 1))
            return {"message_id": number, "update_id": S.next_update - 1}
        if name == "press":
            person = {"id": what["from"], "is_bot": False, "first_name": "A", "language_code": "en"}
            kind = "private" if what["chat"] > 0 else "supergroup"
            push({"callback_query": {"id": str(S.next_update), "from": person, "chat_instance": "1", "data": what["data"],
                                     "message": {"message_id": 1, "date": 1, "chat": {"id": what["chat"], "type": kind}}}})
        elif name == "faults":
            S.share, S.script = what.get("share", {}), what.get("script", {})
            S.random = random.Random(what.get("seed", 1))
        elif name == "numbers":
            S.next_update = what["next"]
        elif name == "forget":
            for file in [key for key, value in S.files.items() if value["kind"] == what["kind"]]:
                del S.files[file]
        elif name == "block":
            S.blocked.add(what["chat"])
        elif name == "webhook":
            S.webhook = {**(S.webhook or {}), **what} if what else None
        elif name == "raw":
            push(what)
        return {"sent": S.sent, "early": S.early, "counts": S.counts, "waiting": len(S.updates), "webhook": S.webhook,
                "lost": S.lost}


def get_updates(body):
    with LOCK:
        if S.webhook:
            raise Refusal(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first")
        S.poll += 1
        mine = S.poll
        LOCK.notify_all()
        offset, limit = body.get("offset"), min(max(body.get("limit", 100), 1), 100)
        known = {update["update_id"] for update in S.updates}
        if offset is not None and offset > 0 and (offset in known or offset - 1 in known):
            keep = next((index for index, update in enumerate(S.updates) if update["update_id"] == offset), None)
            last = max(index for index, update in enumerate(S.updates) if update["update_id"] == offset - 1) + 1 if offset - 1 in known else 0
            S.updates = S.updates[last if keep is None else max(keep, last if offset - 1 in known else 0):]
        repeated = S.last_poll == (offset, S.last_poll[1]) and time.time() - S.last_poll[1] < 3
        S.last_poll = (offset, time.time())
        end = time.time() + min(max(body.get("timeout", 0), 0), 50)
        if repeated and not S.updates:
            end = max(end, time.time() + 3)
        while not S.updates and time.time() < end:
            LOCK.wait(min(0.5, max(end - time.time(), 0.01)))
            if S.poll != mine:
                raise Refusal(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running")
        return S.updates[:limit]


def check_chat(chat):
    if chat in S.blocked:
        raise Refusal(403, "Forbidden: bot was blocked by the user")


def record(method, chat, **rest):
    check_chat(chat)
    number = S.next_message
    S.next_message += 1
    S.sent.append(dict(method=method, chat=chat, message_id=number, at=time.time(), **rest))
    S.messages[number] = {"message_id": number, "chat": {"id": chat, "type": "private"}, "date": 1, "from": {"id": 1, "is_bot": True, "first_name": "B"}}
    return {"message_id": number, "date": int(time.time()), "chat": {"id": chat}}


def check_keyboard(keyboard):
    for row in (keyboard or {}).get("inline_keyboard", []):
        if not row:
            raise Refusal(400, "Bad Request: inline keyboard expected")
        for button in row:
            if not button["text"] or len(button["callback_data"].encode()) > 64:
                raise Refusal(400, "Bad Request: BUTTON_DATA_INVALID")


def check_text(text, most):
    if not text or len(text) > most:
        raise Refusal(400, "Bad Request: message text is empty or too long")


def picture(reference, files):
    """How a picture was named: by its bytes or by Telegram's name."""
    if isinstance(reference, bytes):
        data = reference
    elif reference.startswith("attach://"):
        data = files[reference[9:]]
    elif reference not in S.files:
        raise Refusal(400, "Bad Request: wrong file identifier/HTTP URL specified")
    elif S.files[reference]["kind"] != "photo":
        raise Refusal(400, "Bad Request: can't use file of type Document as Photo")
    else:
        return reference
    if not data.startswith(b"\xff\xd8"):
        raise Refusal(400, "Bad Request: IMAGE_PROCESS_FAILED")
    return "upload"


def call(method, body, files):
    if method == "getMe":
        return {"id": 1, "is_bot": True, "first_name": "B", "username": "semblance_bot"}
    if method == "getUpdates":
        return get_updates(body)
    with LOCK:
        chat = int(body.get("chat_id", 0))
        reply = body.get("reply_parameters")
        reply = json.loads(reply) if isinstance(reply, str) else reply
        reply = (reply or {}).get("message_id")
        if method in ("setMyCommands", "deleteWebhook", "answerCallbackQuery", "sendChatAction"):
            if method == "deleteWebhook":
                S.webhook = None
            if method == "answerCallbackQuery":
                S.sent.append({"method": method, "text": body.get("text"), "chat": 0, "at": time.time()})
            return True
        if method == "setWebhook":
            if not re.fullmatch("[A-Za-z0-9_-]{1,256}", body.get("secret_token", "")):
                raise Refusal(400, "Bad Request: secret token contains unallowed characters")
            S.webhook = {"url": body["url"], "secret": body["secret_token"]}
            return True
        if method == "getFile":
            file = S.files.get(body["file_id"])
            if file is None:
                raise Refusal(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
            if len(file["data"]) > LARGEST:
                raise Refusal(400, "Bad Request: file is too big")
            path = f"photos/file_{len(S.paths)}.jpg"
            S.paths[path] = (body["file_id"], time.time() + 3600)
            return {"file_id": body["file_id"], "file_unique_id": "x", "file_size": len(file["data"]), "file_path": path}
        if method == "sendMessage":
            check_text(body.get("text"), 4096)
            check_keyboard(body.get("reply_markup"))
            sent = record(method, chat, text=body["text"], reply_to=reply, buttons=body.get("reply_markup"))
            S.texts[sent["message_id"]] = body["text"]
            return sent
        if method == "editMessageText":
            check_text(body.get("text"), 4096)
            if body["message_id"] not in S.texts:
                raise Refusal(400, "Bad Request: message to edit not found")
            if S.texts[body["message_id"]] == body["text"]:
                raise Refusal(400, "Bad Request: message is not modified")
            S.texts[body["message_id"]] = body["text"]
            S.sent.append({"method": method, "chat": chat, "text": body["text"], "edits": body["message_id"], "at": time.time()})
            return {"message_id": body["message_id"]}
        if method == "sendPhoto":
            return record(method, chat, captions=[body.get("caption")], pictures=[picture(files.get("photo") or body["photo"], files)], reply_to=reply)
        if method == "sendMediaGroup":
            media = json.loads(body["media"]) if isinstance(body["media"], str) else body["media"]
            if not 2 <= len(media) <= 10:
                raise Refusal(400, "Bad Request: group of 2-10 media expected")
            pictures = [picture(item["media"], files) for item in media]
            return [record(method, chat, captions=[item.get("caption") for item in media], pictures=pictures, reply_to=reply)]
    raise Refusal(404, "Not Found: method not found")


def parts(body, kind):
    boundary = kind.split("boundary=")[1].encode()
    values, files = {}, {}
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]*)"', head)[1].decode()
        if b"filename=" in head:
            files[name] = content[:-2]
        else:
            values[name] = content[:-2].decode()
    return values, files


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, value, cut=False):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:len(body) // 2] if cut else body)
        if cut:
            self.close_connection = True

    def fault(self, method, chat):
        with LOCK:
            if S.script.get(method):
                return S.script[method].pop(0)
            if method in ("getMe", "setMyCommands"):
                return None
            draw = S.random.random()
            for name, share in S.share.items():
                if name == "429" and not chat:
                    continue
                if draw < share:
                    return name
                draw -= share
        return None

    def do_GET(self):
        found = re.fullmatch(f"/file/bot{re.escape(TOKEN)}/(.+)", self.path)
        path = S.paths.get(found[1]) if found else None
        file = S.files.get(path[0]) if path and time.time() < path[1] else None
        if file is None:
            return self.answer(404, {"ok": False, "error_code": 404, "description": "Not Found"})
        kind = self.fault("file", 0)
        if kind == "hang":
            time.sleep(30)
        if kind == "drip":
            self.send_response(200)
            self.send_header("Content-Length", str(len(file["data"])))
            self.end_headers()
            for byte in file["data"]:
                self.wfile.write(bytes([byte]))
                time.sleep(0.5)
        if kind == "redirect":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if kind == "long":
            return self.answer(200, file["data"] + b"x" * (21 << 20))
        if kind in ("500", "html", "429"):
            return self.answer(502, b"<html>bad gateway</html>")
        self.answer(200, file["data"], cut=kind == "half")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/control/"):
            return self.answer(200, control(self.path[9:], json.loads(body or b"{}")))
        found = re.fullmatch(f"/bot{re.escape(TOKEN)}/([A-Za-z]+)", self.path)
        if not found:
            with LOCK:
                S.counts["unauthorized"] = S.counts.get("unauthorized", 0) + 1
            return self.answer(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
        method, kind = found[1], self.headers.get("Content-Type", "")
        values, files = parts(body, kind) if kind.startswith("multipart") else (json.loads(body or b"{}"), {})
        chat = int(values.get("chat_id", 0))
        with LOCK:
            S.counts[method] = S.counts.get(method, 0) + 1
            if chat and time.time() < S.pauses.get(chat, 0):
                S.early.append([method, chat, S.pauses[chat] - time.time()])
        fault = self.fault(method, chat)
        if fault and fault.startswith("429"):
            wait = int(fault[3:] or 1)
            with LOCK:
                S.pauses[chat] = time.time() + wait
            return self.answer(429, {"ok": False, "error_code": 429, "description": f"Too Many Requests: retry after {wait}",
                                     "parameters": {"retry_after": wait}})
        if fault == "500":
            return self.answer(500, {"ok": False, "error_code": 500, "description": "Internal Server Error: restart"})
        if fault == "html":
            return self.answer(502, b"<html>bad gateway</html>")
        if fault == "hang":
            time.sleep(25)
            self.close_connection = True
            return
        if fault == "401":
            return self.answer(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
        try:
            result = {"ok": True, "result": call(method, values, files)}
        except Refusal as refusal:
            return self.answer(refusal.code, {"ok": False, "error_code": refusal.code, "description": refusal.description})
        if fault in ("done-hang", "half") and chat:
            with LOCK:
                S.lost += 1
        if fault == "done-hang":
            time.sleep(25)
            self.close_connection = True
            return
        self.answer(200, result, cut=fault == "half")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 200

    def handle_error(self, request, address):
        pass


server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
parent = os.getppid()
threading.Thread(target=server.serve_forever, daemon=True).start()
while os.getppid() == parent:
    time.sleep(0.5)
