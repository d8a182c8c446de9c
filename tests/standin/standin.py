"""A second stand-in for the API, written from the facts sheet alone and with other habits than `dialer sandbox`.

It keeps a ledger of what really happened: who was called, how many slots were free at each dial, which requests were
malformed or sent again. Run by itself it prints its base URL and serves until its stdin is closed; `GET /__ledger`
shows the ledger. Used as a module, `Standin(**settings)` serves from threads of its own. Standard library only.
"""

import argparse
import json
import socket
import struct
import sys
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from world import KEY, ORG, SETTINGS, World


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    off = 0.0

    def log_message(self, *_):
        pass

    def send_response(self, code, message=None):
        world = self.server.world
        self.send_response_only(code, message)
        if world.date:
            self.send_header("date", formatdate(time.time() + world.skew + world.date_offset + self.off, usegmt=True))

    def reply(self, status, body, how="whole"):
        world = self.server.world
        text = body if isinstance(body, str) else json.dumps(body)
        data = text.encode()
        self.send_response(status)
        self.send_header("content-type", "text/html" if isinstance(body, str) else "application/json; charset=utf-8")
        if status == 429 and world.retry_after:
            self.send_header("Retry-After", world.retry_after)
        if world.close:
            self.send_header("connection", "close")
            self.close_connection = True
        if how == "cut":
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
            return self.hang_up()
        if world.chunked:
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for at in range(0, len(data), 777):
                part = data[at:at + 777]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        if world.hang_up_idle:
            self.close_connection = True
        return None

    def hang_up(self, reset=False):
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self.connection.shutdown(socket.SHUT_RDWR)
        self.connection.close()

    def handle_any(self):
        world = self.server.world
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        url = urlsplit(self.path)
        parts = [part for part in url.path.split("/") if part]
        if parts == ["__ledger"]:
            with world.lock:
                return self.reply(200, world.ledger())
        with world.lock:
            world.requests.append((time.time(), self.command, self.path))
            if not self.headers.get("user-agent"):
                world.flaws.append("no User-Agent")
                return self.reply(403, "error code: 1010")
            if self.headers.get("authorization") != f"Bearer {world.key}":
                return self.reply(401, KEY)
        if world.odd and world.odd(self, self.command, self.path):
            return None
        how = "whole"
        with world.lock:
            self.off = world.off = world.node(self.command, self.path) if world.node else 0.0
            world.traffic()
            if self.command == "POST" and parts == ["call"]:
                status, body, how = world.place(json.loads(raw), self.headers)
            elif self.command == "GET" and parts == ["call"]:
                status, body = world.list(parse_qs(url.query))
            elif self.command == "GET" and len(parts) == 2 and parts[0] == "call":
                found = [world.told(call, "one") for call in world.calls
                         if call["id"] == parts[1] and call["listed"] <= time.time()]
                status, body = (200, found[0]) if found else (404, {"message": "Not Found", "statusCode": 404})
            elif self.command == "GET" and len(parts) == 2 and parts[0] in ("assistant", "squad", "workflow", "phone-number"):
                status, body = self.thing(world, *parts)
            else:
                world.flaws.append(f"asked for {self.command} {url.path}")
                status, body = 404, {"message": f"Cannot {self.command} {url.path}", "error": "Not Found"}
        if how == "slow":
            time.sleep(world.slow_for)
        if world.latency:
            time.sleep(world.latency)
        if how in ("drop", "reset"):
            return self.hang_up(how == "reset")
        return self.reply(status, body, how)

    def thing(self, world, kind, name):
        if name in world.gone_lines or name in world.gone_assistants:
            return 404, {"message": f"{kind} not found", "error": "Not Found", "statusCode": 404}
        body = {"id": name, "orgId": ORG, "createdAt": world.stamp(0), "updatedAt": world.stamp(0)}
        return 200, body | ({"provider": "twilio", "number": "+12065550100"} if kind == "phone-number" else {})

    do_GET = do_POST = do_PATCH = do_DELETE = handle_any

    def handle(self):
        try:
            super().handle()
        except (ConnectionError, ValueError, OSError):
            pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass

    def shutdown_request(self, request):
        try:
            super().shutdown_request(request)
        except OSError:
            pass


class Standin:
    """A world behind HTTP on loopback."""

    def __init__(self, port=0, **settings):
        self.world = World(**settings)
        self.server = Server(("127.0.0.1", port), Handler)
        self.server.world = self.world
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in SETTINGS.items():
        flag = "--" + name.replace("_", "-")
        if value is False:
            parser.add_argument(flag, action="store_true")
        elif isinstance(value, (int, float)) and value is not True:
            parser.add_argument(flag, type=type(value), default=value)
        elif isinstance(value, str):
            parser.add_argument(flag, default=value)
    parser.add_argument("--retry-after")
    parser.add_argument("--fault", action="append", default=[], metavar="FATE=P")
    args = vars(parser.parse_args())
    faults = {name: float(chance) for name, chance in (fault.split("=") for fault in args.pop("fault"))}
    standin = Standin(faults=faults, **args)
    print(standin.url, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
