"""What a server sends: answers that are too large, too slow, too deep, or of another kind than anybody would expect."""

import gzip
import json
import time

from bench import INT
from scenario import scenario, send


def at_posts(numbers, answer, method="POST"):
    """An `odd`: the requests of these numbers are answered by `answer(handler)`."""
    count = [0]

    def odd(handler, was, path):
        if was != method or not path.startswith("/call"):
            return False
        count[0] += 1
        if count[0] not in numbers:
            return False
        answer(handler)
        return True
    return odd


def flood(status, piece, times, kind="application/json"):
    def answer(handler):
        handler.send_response(status)
        handler.send_header("content-type", kind)
        handler.send_header("connection", "close")
        handler.close_connection = True
        handler.end_headers()
        for _ in range(times):
            handler.wfile.write(piece)
    return answer


def drip(head, pieces, apart=0.0):
    def answer(handler):
        handler.close_connection = True
        handler.wfile.write(head)
        for piece in pieces:
            handler.wfile.write(piece)
            time.sleep(apart)
    return answer


def light(s, most):
    s.note(f"exit {s.ended.code}, {s.ended.memory} MB")
    assert s.ended.memory < most, s.ended.memory


@scenario(5, talk=0.2, once=None)
def huge_listing(s):
    """A hundred megabytes of listing: bounded memory, no hang, and no dial on half a listing."""
    piece = (json.dumps({"id": "x", "messages": ["y" * 9000]}) + ",").encode() * 100
    s.world.odd = at_posts(range(10**6), flood(200, b"[" + piece, 110), "GET")
    s.start()
    time.sleep(6)
    send(INT, INT, apart=0.2)(s)
    s.ends(None, "not posts", within=20)
    light(s, 150)


@scenario(25, talk=0.2, shows=lambda call, row, where: row | {"artifact": {"transcript": "blah " * 60000, "messages": []}})
def huge_rows(s):
    """Real rows that are large, with long transcripts: read all the same."""
    s.run("--poll 300ms")
    light(s, 150)


@scenario(8, talk=0.2, odd=at_posts((2, 4), flood(500, b"x" * 1000000, 100, "text/html")))
def huge_error(s):
    """A hundred megabytes as the answer to a request: in doubt or refused, bounded memory."""
    s.run("--wait")
    light(s, 100)


@scenario(10, talk=0.2, odd=at_posts((2, 5), drip(
    b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n", [b" "] * 60, 0.1)))
def dripping_answer_of_a_request(s):
    """The answer to a request comes a byte at a time: in doubt after --post-timeout, found in the listing."""
    s.run("--wait", 0, "ended.seconds < 12", timeout=30)


@scenario(8, talk=0.2, odd=at_posts((2,), drip(
    b"HTTP/1.1 201 Created\r\n", (b"x-%d: %s\r\n" % (n, b"y" * 200) for n in range(400000)))))
def endless_headers(s):
    s.run("--wait")
    light(s, 100)


@scenario(10, slow=True, talk=0.2)
def dripping_answers(s):
    """Answers that come a byte at a time: no hang, nobody twice."""
    slow = drip(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 90000\r\n\r\n", [b" "] * 300, 0.2)
    posts, gets = at_posts((3,), slow), at_posts((4, 9), slow, "GET")
    s.world.odd = lambda *request: posts(*request) or gets(*request)
    s.run("--wait", timeout=200)
    s.note(f"{s.ended.seconds:.0f} s")


@scenario(6, talk=0.2, once=dict(missing=1))
def compressed_bomb(s):
    """A small answer that unpacks to a great one."""
    bomb = gzip.compress(b"[" + b" " * 300_000_000, 9)
    head = b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n"
    s.world.odd = at_posts((1,), drip(head % len(bomb), [bomb]))
    s.run("", None)
    light(s, 100)


@scenario(10, talk=0.2, once=dict(missing=2))
def deep_json(s):
    """Answers nested a hundred thousand deep: no crash."""
    deep = "[" * 100000 + "]" * 100000
    posts = at_posts((3, 5), lambda handler: handler.reply(400, deep))
    gets = at_posts((3, 5), lambda handler: handler.reply(200, deep), "GET")
    s.world.odd = lambda *request: posts(*request) or gets(*request)
    s.run("--wait", None, "ended.code in (0, 5)")
    s.note(f"exit {s.ended.code}")


@scenario(30, talk=0.3, inbound=4.0)
def odd_values(s):
    """Rows with values that nobody would expect: numbers too large, dates wrong, fields of another kind."""
    n = [0]
    strange = [{"cost": 1e308}, {"cost": -5}, {"cost": None}, {"cost": "much"}, {"startedAt": "yesterday"},
               {"updatedAt": "9999-12-31T23:59:59.999Z"}, {"customer": None}, {"customer": []}, {"endedAt": None},
               {"monitor": 7}, {"status": "not-found"}, {"somethingNew": {"a": [[[]]]}}]

    def shows(call, row, where):
        n[0] += 1
        return row | strange[n[0] % len(strange)] if call["type"] != "outboundPhoneCall" else row

    s.world.shows = shows
    s.run()
