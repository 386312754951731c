"""Sends about five hundred hostile requests to a server, each twice: without a key and with it.

    hostile_requests.py PORT KEY CANARY    prints each answer that it should not have got, then how many were sent
"""

import itertools
import socket
import sys

PORT, KEY, CANARY = int(sys.argv[1]), sys.argv[2], sys.argv[3].encode()

BASES = ["/", "/api/v1/", "/api/v1/images/", "/api/v1/images/1/thumbnail/", "/pictures/", "/style.css/"]
CLIMBS = [
    "../{}", "../../{}", "../../../../../../{}", "..%2f{}", "..%2F..%2F{}", "%2e%2e/{}", "%2e%2e%2f{}", "%2E%2E/%2E%2E/{}",
    "..%252f{}", "%252e%252e/{}", "%c0%ae%c0%ae/{}", "..%c0%af{}", "%e0%80%ae%e0%80%ae/{}", "%f0%80%80%ae/{}",
    "....//{}", "..;/{}", "..\\{}", "..%5c{}", "%5c..%5c{}", "./{}", "%2e/{}", "//{}", "/%2f{}", "{}%00", "{}%00.jpg", "%00{}",
    "{}%0a", "{}%0d%0aSet-Cookie:%20a=b", "{}%", "{}%2", "{}%zz", "%u002e%u002e/{}", "~/{}", "file:///{}", "{}/", "{}/.",
    "{}?path=../{}", "{}#x", "1/../{}", "1%2f..%2f{}", "1;{}", "1%20{}",
]
TARGETS = ["canary.txt", "data/telegram_agent.db"]
NUMBERS = [
    "-1", "0", "1.0", "1e0", "0x1", "99999999999999999999", "9223372036854775808", "%31%00", "\uff11", "1%00", "1%20", "NaN",
    "1'--", "1%27%20OR%201=1", "1)%20UNION%20SELECT%20sql%20FROM%20sqlite_master", "[1]", "1,2", "%ff%fe", "%ed%a0%80", "{{id}}",
]
METHODS = [
    "get", "GET\0", "G\u00e9T", "CONNECT", "TRACE", "TRACK", "PROPFIND", "DEBUG", "BREW", "A" * 200, "A" * 20000, "", "\tGET", "GET,POST",
    "PUT", "PATCH", "DELETE", "PURGE", "LINK", "M-SEARCH",
]
LINES = [
    "GET\t/api/v1/stats\tHTTP/1.1", "GET /api/v1/stats HTTP/1.1 ", "GET /api/v1/stats HTTP/0.9",
    "GET /api/v1/stats", "GET /api/v1/stats HTTP/1.2", "GET /api/v1/stats HTTP/2.0", "PRI * HTTP/2.0", "GET /api/v1/stats HTTP/9.9",
    "GET /api/v1/stats http/1.1", "GET /api/v1/stats HTTP/1,1", "GET /api/v1/st\0ats HTTP/1.1", "GET /api/v1/st ats HTTP/1.1",
    "GET http://evil.example/api/v1/nothing HTTP/1.1", "GET https://evil.example:443/canary.txt HTTP/1.1",
    "GET //evil.example/api/v1/stats HTTP/1.1", "GET evil.example/api/v1/stats HTTP/1.1", "GET ?api/v1/stats HTTP/1.1",
    "GET file:///etc/passwd HTTP/1.1", "GET javascript:1 HTTP/1.1", "CONNECT evil.example:443 HTTP/1.1", "OPTIONS * HTTP/1.1",
    "GET * HTTP/1.1", "GET \\api\\v1\\stats HTTP/1.1", "\r\n\r\n\r\nGET /api/v1/nothing HTTP/1.1", "GET /" + "a" * 70000 + " HTTP/1.1",
    "GET /" + "%61" * 5000 + " HTTP/1.1", "GET /api/v1/search?q=" + "%ff" * 400 + " HTTP/1.1", "GET /\x7f\x1b[31m HTTP/1.1",
    "GET /\u202egpj.1 HTTP/1.1",
]
HEADS = [
    "Host : localhost", "Host: evil.example", "Host: localhost@evil.example", "Host: localhost\r\nHost: evil.example", "Host:",
    "Host: [localhost", "Host: localhost\0", "Host: local host", "X-Forwarded-Host: evil.example\r\nHost: evil.example",
    "Host: localhost\r\n X: folded", "Host: localhost\nX: y", "Host: localhost\r\n: nameless", "Host: localhost\r\nX\0Y: z",
    "Host: localhost\r\nX: \0", "Host: localhost\r\n" + "X: y\r\n" * 3000 + "Y: z", "Host: localhost\r\nX: " + "y" * 90000,
    "Host: localhost\r\nno colon", "Host: localhost\rX: y",
]
INNER = "GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n"
FRAMINGS = [
    "Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5", "Content-Length: 0\r\nContent-Length: 5",
    "Content-Length: 5, 5", "Content-Length: +5", "Content-Length: -5", "Content-Length: 0x5", "Content-Length: 5 5", "Content-Length: 5\0",
    "Content-Length: 99999999999999999999", "Content-Length : 5", "Content-Length:\r\n 5", "Transfer-Encoding: xchunked",
    "Transfer-Encoding : chunked", "Transfer-Encoding:\r\n chunked", "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\nContent-Length: 5", "Transfer-Encoding:\x0bchunked",
]
BODIES = ["0\r\n\r\n", "0\r\n\r\n\r\n", "5\r\n", "0;a=\r\n\r\n", "-1\r\n", "0x0\r\n\r\n"]


def paths():
    for base, climb in itertools.product(BASES, CLIMBS):
        yield f"GET {base}{climb.format(*[TARGETS[len(climb) % 2]] * 2)} HTTP/1.1\r\nHost: localhost\r\n{{key}}\r\n", {400, 401, 404}
    for number, place in itertools.product(NUMBERS, ["/api/v1/images/{}", "/pictures/{}", "/api/v1/images/{}/thumbnail", "/api/v1/images/{}/similar"]):
        yield f"GET {place.replace('{}', number.replace('{', '{{').replace('}', '}}'))} HTTP/1.1\r\nHost: localhost\r\n{{key}}\r\n", {400, 401, 404}


def lines():
    for method in METHODS:
        yield f"{method} /api/v1/stats HTTP/1.1\r\nHost: localhost\r\n{{key}}\r\n", {400, 401, 404, 405, 431, 501}
    for line in LINES:
        yield f"{line}\r\nHost: localhost\r\n{{key}}\r\n", {400, 401, 404, 405, 414, 421, 431, 501, 505}
    for head in HEADS:
        yield f"GET /api/v1/openapi.json HTTP/1.1\r\n{head}\r\n{{key}}\r\n", {400, 401, 421, 431}


def framings():
    """Two readings of one stream: whatever the server takes the first to be, the second must not be answered."""
    for framing, body in itertools.product(FRAMINGS, BODIES):
        yield f"POST /api/v1/jobs/nothing HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n{{key}}\r\n{body}" + INNER, {400, 401, 404, 413}


def send(request):
    connection = socket.create_connection(("127.0.0.1", PORT))
    connection.settimeout(0.25)
    answer = b""
    try:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(1 << 16):
            answer += piece
    except OSError:
        pass
    connection.close()
    return answer


def main():
    sent = 0
    for request, allowed in itertools.chain(paths(), lines(), framings()):
        for key in ["", f"Authorization: Bearer {KEY}\r\n"]:
            text = request.replace("{key}", key, 1).replace("{key}", KEY).replace("{{", "{").replace("}}", "}")
            answer = send(text.encode("utf-8", "surrogatepass"))
            statuses = [int(line[9:12]) for line in answer.split(b"\n") if line.startswith(b"HTTP/1.1 ")]
            if CANARY in answer or b"SQLite format" in answer or not set(statuses) <= allowed:
                print(f"{text[:160]!r} {statuses}")
        sent += 1
    print(f"{sent} sent")


main()
