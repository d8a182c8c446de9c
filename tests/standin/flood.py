"""A flood of server messages, on connections that stay open: of calls that are up, of unknown ones, and forged ones, each
again and again. `python3 flood.py PORT SECRET API KEY RATE` floods until its stdin is closed, and prints how many were
answered a second."""

import json
import socket
import sys
import threading
import time
import urllib.request

CONNECTIONS = 12
LOT = 100  # messages that are sent before their answers are read
CONNECTED = 20  # seconds for which a connection is used


def message(nth, calls, secret):
    call = calls[nth % len(calls)] if nth % 2 else f"unknown-{nth % 50}"
    body = json.dumps({"message": {"type": "status-update", "status": "ended", "call": {"id": call}}})
    shown = secret if nth % 5 else "forged"
    return f"POST / HTTP/1.1\r\nhost: x\r\nx-vapi-secret: {shown}\r\ncontent-length: {len(body)}\r\n\r\n{body}"


class Flood:
    def __init__(self, port, secret, api, key, rate):
        self.port, self.secret, self.api, self.key = int(port), secret, api, key
        self.answered, self.over, self.gap = 0, threading.Event(), LOT * CONNECTIONS / float(rate)
        self.lock, self.lot = threading.Lock(), b""

    def renew(self):
        request = urllib.request.Request(f"{self.api}/call?limit=40", headers={"authorization": f"Bearer {self.key}"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            calls = [call["id"] for call in json.load(answer)] or ["none"]
        self.lot = "".join(message(nth, calls, self.secret) for nth in range(LOT)).encode()

    def pour(self):
        due = time.time()
        while not self.over.is_set():
            try:
                with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
                    until = time.time() + CONNECTED
                    while time.time() < until and not self.over.is_set():
                        connection.sendall(self.lot)
                        heard = b""
                        while heard.count(b"HTTP/1.1 ") < LOT:
                            piece = connection.recv(1 << 16)
                            if not piece:
                                raise OSError("closed")
                            heard += piece
                        with self.lock:
                            self.answered += LOT
                        due = max(due + self.gap, time.time() - self.gap)
                        time.sleep(max(0.0, due - time.time()))
            except OSError:
                time.sleep(0.05)


def main():
    flood, began = Flood(*sys.argv[1:]), time.time()
    flood.renew()
    for _ in range(CONNECTIONS):
        threading.Thread(target=flood.pour, daemon=True).start()

    def renew():
        while not flood.over.wait(1):
            flood.renew()
    threading.Thread(target=renew, daemon=True).start()
    sys.stdin.read()
    flood.over.set()
    print(int(flood.answered / (time.time() - began)), flush=True)


if __name__ == "__main__":
    main()
