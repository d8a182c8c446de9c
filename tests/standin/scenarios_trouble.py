"""Trouble with the account, the network and what a server sends."""

import gzip
import json
import socket
import threading
import time
from email.utils import formatdate

from standin import E164, Handler, Server
from bench import INT, need, once, phone, wait_for

SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


def slow(function):
    function.slow = True
    return scenario(function)


@scenario
def wrong_key(bench):
    world = bench.standin(key="another")
    bench.leads(5)
    ended = bench.run(world, code=5)
    need(not world.posts and "error" in ended.json, f"{ended}")
    world.key = "sk-never-to-be-shown-5f0c"
    bench.run(world)


@scenario
def key_refused_midway(bench):
    """401 in the middle: out at once with 5, nobody burnt; with a key again it goes on."""
    world = bench.standin(talk=0.5)
    people = bench.leads(25)
    running = bench.start(world, "--reserve", 3)
    wait_for(lambda: len(world.posts) >= 8, 10, "the eighth request")
    good, world.key = world.key, "rolled"
    ended = running.end(10)
    bench.adds_up(ended)
    need(ended.code == 5, f"{ended}")
    world.key = good
    bench.run(world, "--reserve", 3)
    once(world, people)


@scenario
def key_refused_at_a_request(bench):
    """401 to a request alone, the listing still answering: exit 5 at once."""
    say = (401, {"message": "Invalid Key", "error": "Unauthorized", "statusCode": 401})
    world = bench.standin(talk=2.0, script=lambda n, body: say if n > 5 else None)
    people = bench.leads(20)
    running = bench.start(world, "--reserve", 3)
    ended = running.end(8)
    bench.adds_up(ended)
    need(ended.code == 5 and len(world.posts) <= 10, f"{len(world.posts)} requests: {ended}")
    world.script, world.talk = None, 0.3
    bench.run(world, "--reserve", 3)
    once(world, people)


@scenario
def key_refused_in_the_search(bench):
    """The pre-flight is let in and the listing is not: exit 5, a handful of requests."""
    world = bench.standin(odd=lambda handler, method, path: path.startswith("/call") and
                          (handler.reply(401, {"message": "Invalid Key", "statusCode": 401}), True)[1])
    bench.leads(5)
    running = bench.start(world)
    ended = running.end(8)
    bench.adds_up(ended)
    need(ended.code == 5 and not world.posts and len(world.requests) < 12, f"{len(world.requests)} requests: {ended}")


@scenario
def listing_broken_from_the_start(bench):
    """Without a search nobody is dialed: exit 1."""
    world = bench.standin(odd=lambda handler, method, path: method == "GET" and path.startswith("/call") and
                          (handler.reply(500, "<html>no</html>"), True)[1])
    bench.leads(5)
    ended = bench.run(world, code=1, timeout=60)
    bench.note(f"{ended.seconds:.0f} s, {len(world.requests)} requests")
    need(not world.posts, "dialed without having searched")


@scenario
def listing_breaks_midway(bench):
    """The listing fails for some seconds: no dial on old news, nothing lost."""
    world = bench.standin(talk=0.4)
    people = bench.leads(25)
    broken = threading.Event()
    world.odd = lambda handler, method, path: broken.is_set() and method == "GET" and path.startswith("/call") and (
        handler.reply(503, ""), True)[1]
    running = bench.start(world, "--reserve", 3)
    wait_for(lambda: len(world.posts) >= 9, 10, "the ninth request")
    broken.set()
    time.sleep(0.6)
    posts = len(world.posts)
    time.sleep(2)
    need(len(world.posts) == posts, f"{len(world.posts) - posts} dials on old news")
    broken.clear()
    ended = running.end(40)
    bench.adds_up(ended)
    need(ended.code == 0, f"{ended}")
    once(world, people)


@scenario
def doubt_that_ended_for_the_account(bench):
    """The answer is lost, and the listing shows that the call ended for want of credit: exit 5, not on and on."""
    world = bench.standin(talk=0.3, script=lambda n, body: "drop-after" if n > 6 else None)
    bench.leads(20)
    born = world.bear

    def broke(kind, body, *more, **other):
        call = born(kind, body, *more, **other)
        if kind == "outboundPhoneCall" and len(world.posts) > 6:
            call |= {"reason": "call.start.error-subscription-insufficient-credits", "end": call["began"] + 0.1,
                     "answer": call["began"] + 99, "ring": call["began"] + 99}
        return call

    world.bear = broke
    running = bench.start(world, "--reserve", 3, "--wait")
    ended = running.end(20)
    bench.adds_up(ended)
    bench.note(f"{len(world.posts)} requests")
    need(ended.code == 5 and len(world.posts) <= 20, f"{len(world.posts)} requests: {ended}")


@scenario
def daily_limit_by_reason(bench):
    """A line's daily limit, told by calls that end at once in their own answer."""
    world = bench.standin(talk=0.3)
    people = bench.leads(16)
    born = world.bear

    def worn(kind, body, *more, **other):
        call = born(kind, body, *more, **other)
        if kind == "outboundPhoneCall" and body["phoneNumberId"] == "line-2":
            call |= {"reason": "call.start.error-vapi-number-outbound-daily-limit", "end": call["began"],
                     "answer": call["began"] + 99, "ring": call["began"] + 99}
        return call

    world.bear = worn
    running = bench.start(world, "--reserve", 3, "--phone-number-id", "line-1", "--phone-number-id", "line-2")
    ended = running.end(15)
    bench.adds_up(ended)
    tries = sum(post["line"] == "line-2" for post in world.posts)
    bench.note(f"exit {ended.code}, {tries} tries of the worn line")
    need(ended.code == 0 and tries <= 8, f"{tries} tries: {ended}")
    rung = {call["body"]["customer"]["number"] for call in world.ours() if call["body"]["phoneNumberId"] == "line-1"}
    need(rung == set(people), "somebody was lost")


@scenario
def missing_assistant(bench):
    world = bench.standin(gone_assistants=["assistant-1"])
    bench.leads(5)
    ended = bench.run(world, code=5)
    need(not world.posts and "assistant" in ended.err, f"{ended}")


@scenario
def missing_line_of_two(bench):
    """A phone number that is gone leaves the rotation; the other does all."""
    world = bench.standin(gone_lines=["line-2"], talk=0.2)
    people = bench.leads(15)
    bench.run(world, "--phone-number-id", "line-1", "--phone-number-id", "line-2")
    once(world, people)
    need({post["line"] for post in world.posts} == {"line-1"}, "the dead line was used")


@scenario
def missing_lines(bench):
    world = bench.standin(gone_lines=["line-1"])
    bench.leads(5)
    ended = bench.run(world, code=5)
    need(not world.posts and "line-1" in ended.err, f"{ended}")


@scenario
def line_dies_midway(bench):
    """A line that is refused at a request leaves the rotation; its lead is called from the other one."""
    gone = {"message": "`phoneNumber` `line-2` does not exist.", "error": "Bad Request", "statusCode": 400}
    world = bench.standin(dead_lines={"line-2": (400, gone)}, talk=0.2)
    people = bench.leads(15)
    bench.run(world, "--phone-number-id", "line-1", "--phone-number-id", "line-2", "--reserve", 3)
    once(world, people)
    need(sum(post["line"] == "line-2" for post in world.posts) <= 3, "the dead line was used on")


@scenario
def daily_limit_of_one_line(bench):
    world = bench.standin(daily={"line-2": 3}, talk=0.2)
    people = bench.leads(20)
    bench.run(world, "--phone-number-id", "line-1", "--phone-number-id", "line-2", "--reserve", 3)
    once(world, people)


@scenario
def daily_limit_of_the_only_line(bench):
    """Exit 5, and `next_at` at midnight UTC."""
    world = bench.standin(daily={"line-1": 6}, talk=0.3)
    people = bench.leads(20)
    ended = bench.run(world, "--reserve", 3, code=5)
    need(len(world.rings()) == 6 and ended.json["leads"]["settled"] == 6, f"{ended}")
    need((ended.json["next_at"] or "").endswith("T00:00:00Z"), f"next at {ended.json['next_at']}")
    world.daily = {}
    bench.run(world, "--reserve", 3)
    once(world, people)


@scenario
def no_credit_midway(bench):
    """Out of credit: calls are followed, exit 5, nobody burnt; later it goes on."""
    world = bench.standin(credit=9, talk=0.5)
    people = bench.leads(25)
    ended = bench.run(world, "--reserve", 3, code=5)
    need(len(world.posts) <= 17 and ended.json["leads"]["settled"] == 9 and world.up() == 0, f"{ended}")
    before = len(world.posts)
    bench.run(world, "--reserve", 3, code=5)
    need(len(world.posts) - before <= 2, f"{len(world.posts) - before} requests without credit")
    world.credit = 10**9
    bench.run(world, "--reserve", 3)
    once(world, people)


def told_by_reason(after):
    def no_credit(bench):
        world = bench.standin(talk=0.3)
        people = bench.leads(20)
        born = world.bear

        def broke(kind, body, *more, **other):
            call = born(kind, body, *more, **other)
            if kind == "outboundPhoneCall" and len(world.posts) > 6:
                call |= {"reason": "call.start.error-subscription-insufficient-credits", "end": call["began"] + after,
                         "answer": call["began"] + 99, "ring": call["began"] + 99}
            return call

        world.bear = broke
        running = bench.start(world, "--reserve", 3)
        ended = running.end(15)
        bench.adds_up(ended)
        need(ended.code == 5 and ended.json["leads"]["settled"] == 6 and len(world.posts) <= 14,
             f"{len(world.posts)} requests: {ended}")
        world.bear = born
        bench.run(world, "--reserve", 3)
        rung = [call["body"]["customer"]["number"] for call in world.ours() if call["reason"][:10] != "call.start"]
        need(sorted(rung) == people, f"{sorted(rung)}")
    return no_credit


SCENARIOS["no_credit_by_reason"] = told_by_reason(0.25)
SCENARIOS["no_credit_in_the_answer"] = told_by_reason(0.0)


@scenario
def account_texts(bench):
    """Other words of an account in trouble: exit 5, and nobody burnt."""
    for status, body in [
        (402, {"message": "Payment Required"}), (403, "error code: 1010"), (404, {"message": "Cannot POST /call"}),
        (400, {"message": "Billing Limits Exceeded", "statusCode": 400}),
        (400, {"message": ["Your subscription is frozen."]}), (301, ""), (302, ""), (307, ""), (308, ""),
        (400, {"message": "assistantId must reference an available published assistant"}),
        (400, {"message": ["property dialer should not exist"], "error": "Bad Request", "statusCode": 400}),
    ]:
        world = bench.standin(script=lambda n, body, say=(status, body): say)
        bench.leads(6)
        ended = bench.run(world, "--reserve", 3, code=None, state=f"state-{len(bench.standins)}")
        need(ended.code == 5 and len(world.posts) <= 7, f"{status} {body}: {len(world.posts)} requests: {ended}")
        if "leads" in ended.json:
            need(ended.json["leads"]["settled"] == 0, f"{status} {body}: burnt: {ended}")


@scenario
def redirected_elsewhere(bench):
    """A redirect is not followed, wherever it leads, and takes the key nowhere."""
    other = bench.standin(talk=0.2)

    def redirect(handler, method, path):
        handler.send_response(307)
        handler.send_header("location", other.url + path)
        handler.send_header("content-length", "0")
        handler.end_headers()
        return True

    world = bench.standin(odd=redirect)
    bench.leads(3)
    bench.run(world, code=5)
    need(not other.requests, f"{other.requests}")
    world.odd = lambda handler, method, path: method == "POST" and redirect(handler, method, path)
    bench.run(world, code=5)
    need(not other.requests, f"{other.requests}")


@scenario
def rate_limited(bench):
    """429 with Retry-After: nobody dialed for that long, then everybody."""
    world = bench.standin(rate_limit=3, retry_after="1", talk=0.2)
    people = bench.leads(12)
    bench.run(world, "--reserve", 3)
    once(world, people)
    at = [post["at"] for post in world.posts]
    need(at[1] - at[0] >= 0.95, f"sent again after {at[1] - at[0]:.2f} s")


@scenario
def retry_after_of_all_kinds(bench):
    """A Retry-After that is nought, no number, a date, or negative: heard where it can be, and no hang."""
    soon = formatdate(time.time() + 2, usegmt=True)
    for value in ("0", soon, "1.5"):
        world = bench.standin(rate_limit=1, retry_after=value, talk=0.1)
        people = bench.leads(4)
        ended = bench.run(world, "--reserve", 3, state=f"state-{len(bench.standins)}", timeout=75)
        bench.note(f"{value}: {ended.seconds:.1f} s")
        once(world, people)


@scenario
def rate_limited_midway(bench):
    """429 with Retry-After in the middle of many: what is out comes in, nothing more is sent meanwhile."""
    world = bench.standin(talk=0.3, retry_after="2", script=lambda n, body: (
        429, {"message": "Rate limit exceeded", "statusCode": 429}) if n == 9 else None)
    people = bench.leads(30)
    bench.run(world, "--reserve", 3)
    once(world, people)
    at = sorted(post["at"] for post in world.posts)
    hit = world.posts[8]["at"]
    early = [t - hit for t in at if hit + 0.1 < t < hit + 1.9]
    need(not early, f"requests {early} s after the 429")


@slow
def rate_limited_without_a_word(bench):
    """429 without Retry-After: nothing until the next minute of UTC."""
    world = bench.standin(rate_limit=1, talk=0.2)
    people = bench.leads(6)
    bench.run(world, "--reserve", 3, timeout=90)
    once(world, people)
    first, second = world.posts[0]["at"], world.posts[1]["at"]
    need(int(second // 60) > int(first // 60), f"sent again within the minute, after {second - first:.1f} s")


@scenario
def listing_rate_limited(bench):
    """The listing is rate-limited or broken now and then: it goes on, slower."""
    dice = [0]

    def odd(handler, method, path):
        if method == "GET" and path.startswith("/call"):
            dice[0] += 1
            if dice[0] % 5 in (1, 2) and dice[0] > 3:
                handler.reply(*[(429, {"message": "Rate limit exceeded"}), (500, "<html>"), (200, "<html>"),
                                (200, {"results": []})][dice[0] // 5 % 4])
                return True
        return False

    world = bench.standin(talk=0.3, odd=odd, inbound=0.5)
    people = bench.leads(25)
    bench.run(world, "--reserve", 3, timeout=60)
    once(world, people)


@scenario
def bad_number_in_the_middle(bench):
    world = bench.standin(bad={phone(7): (400, E164)}, talk=0.2)
    people = bench.leads(15)
    ended = bench.run(world, "--reserve", 3)
    once(world, [number for number in people if number != phone(7)])
    need(ended.json["dispositions"].get("invalid") == 1 and ended.json["leads"]["settled"] == 15, f"{ended}")
    need(sum(post["number"] == phone(7) for post in world.posts) == 1, "asked more than once")


@scenario
def odd_refusals(bench):
    """One odd 400 settles its lead as config; three in a row reopen the three and end with 5."""
    odd = (400, {"message": "the moon is in the wrong house", "error": "Bad Request", "statusCode": 400})
    world = bench.standin(talk=0.2, bad={phone(4): odd})
    people = bench.leads(12)
    ended = bench.run(world, "--reserve", 3)
    need(ended.json["dispositions"].get("config") == 1, f"{ended}")
    once(world, [number for number in people if number != phone(4)])
    world = bench.standin(slots=20, latency=0.05, talk=0.2, script=lambda n, body: odd if n > 5 else None)
    ended = bench.run(world, "--reserve", 3, "--slots", 20, code=5, state="other")
    need(ended.json["leads"]["settled"] == 5 and len(world.posts) <= 15, f"{len(world.posts)}: {ended}")
    world.script = None
    bench.run(world, "--reserve", 3, state="other")
    once(world, people)


@scenario
def provider_faults_trip_the_breaker(bench):
    """A provider that always fails is not asked for ever, and nobody is burnt."""
    world = bench.standin(script=lambda n, body: "500-before")
    people = bench.leads(40)
    ended = bench.run(world, "--reserve", 3, code=None, timeout=60)
    bench.note(f"exit {ended.code}, {len(world.posts)} requests")
    need(ended.code in (4, 5) and len(world.posts) <= 40, f"{len(world.posts)} requests: {ended}")
    need("leads" not in ended.json or ended.json["leads"]["settled"] == 0, f"burnt: {ended}")
    world.script = None
    time.sleep(2)
    bench.run(world, "--reserve", 3, "--wait", timeout=60)
    once(world, people)


@scenario
def refused_connections_for_a_while(bench):
    """Nobody listens for some seconds in the middle: nothing is lost, nobody twice."""
    world = bench.standin(talk=0.3)
    people = bench.leads(25)
    running = bench.start(world, "--reserve", 3)
    wait_for(lambda: len(world.posts) >= 9, 10, "the ninth request")
    closed = threading.Event()
    world.odd = lambda handler, method, path: (handler.hang_up(True), True)[1] if closed.is_set() else False
    closed.set()
    time.sleep(2.5)
    closed.clear()
    ended = running.end(60)
    bench.adds_up(ended)
    need(ended.code in (0, 4), f"{ended}")
    time.sleep(1)
    bench.run(world, "--reserve", 3, "--wait", timeout=60)
    once(world, people)


@scenario
def gone_and_back(bench):
    """The server dies in the middle and comes back on the same port some seconds later."""
    world = bench.standin(talk=0.3, close=True)
    people = bench.leads(25)
    running = bench.start(world, "--reserve", 3)
    wait_for(lambda: len(world.posts) >= 9, 10, "the ninth request")
    world.standin.close()
    time.sleep(3)
    server = Server(("127.0.0.1", world.standin.port), Handler)
    server.world = world
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    world.standin.server = server
    ended = running.end(60)
    bench.adds_up(ended)
    need(ended.code in (0, 4), f"{ended}")
    bench.run(world, "--reserve", 3, "--wait", timeout=60)
    once(world, people)


@slow
def unreachable(bench):
    """Nobody there at all: exit 1 after some two minutes, nothing lost."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        bench.leads(5)
        ended = bench.run(url, code=1, timeout=200)
    bench.note(f"after {ended.seconds:.0f} s")
    need(ended.seconds < 180, f"{ended}")


@slow
def unreachable_midway(bench):
    """The server goes for good in the middle: exit 1 after two minutes, and a later run goes on."""
    world = bench.standin(talk=0.3, close=True)
    people = bench.leads(25)
    running = bench.start(world, "--reserve", 3)
    wait_for(lambda: len(world.posts) >= 9, 10, "the ninth request")
    world.standin.close()
    ended = running.end(200)
    bench.adds_up(ended)
    need(ended.code == 1, f"{ended}")
    again = bench.standin()
    for name in ("calls", "posts"):
        getattr(again, name).extend(getattr(world, name))
    bench.note(f"after {ended.seconds:.0f} s")


def flood(handler, status, piece, times, kind="application/json"):
    handler.send_response(status)
    handler.send_header("content-type", kind)
    handler.send_header("connection", "close")
    handler.close_connection = True
    handler.end_headers()
    try:
        for _ in range(times):
            handler.wfile.write(piece)
    except OSError:
        pass
    return True


@scenario
def huge_listing(bench):
    """A hundred megabytes of listing: bounded memory, no hang, and no dial on half a listing."""
    piece = (json.dumps({"id": "x", "messages": ["y" * 9000]}) + ",").encode() * 100
    world = bench.standin(talk=0.2, odd=lambda handler, method, path: method == "GET" and path.startswith("/call?")
                          and flood(handler, 200, b"[" + piece, 110))
    bench.leads(5)
    running = bench.start(world, "--reserve", 3)
    time.sleep(6)
    running.send(INT)
    time.sleep(0.2)
    running.send(INT)
    ended = running.end(20)
    bench.note(f"exit {ended.code}, {ended.memory} MB")
    need(ended.memory < 150 and not world.posts, f"{ended.memory} MB, {len(world.posts)} requests: {ended}")


@scenario
def huge_rows(bench):
    """Real rows that are large, with long transcripts: read all the same."""
    world = bench.standin(talk=0.2)
    plain = world.row
    world.row = lambda call: plain(call) | {"artifact": {"transcript": "blah " * 60000, "messages": []}}
    people = bench.leads(25)
    ended = bench.run(world, "--reserve", 3, "--poll", "300ms", timeout=60)
    bench.note(f"{ended.memory} MB")
    need(ended.memory < 150, f"{ended.memory} MB")
    once(world, people)


@scenario
def huge_error(bench):
    """A hundred megabytes as the answer to a request: in doubt or refused, bounded memory."""
    world = bench.standin(talk=0.2)
    posts = [0]

    def odd(handler, method, path):
        if method == "POST":
            posts[0] += 1
            return posts[0] in (2, 4) and flood(handler, 500, b"x" * 1000000, 100, "text/html")
        return False

    world.odd = odd
    people = bench.leads(8)
    ended = bench.run(world, "--reserve", 3, "--wait", timeout=60)
    bench.note(f"{ended.memory} MB")
    need(ended.memory < 100, f"{ended.memory} MB")
    once(world, people)


@scenario
def dripping_answer_of_a_request(bench):
    """The answer to a request comes a byte at a time: in doubt after --post-timeout, found in the listing."""
    world = bench.standin(talk=0.2)
    seen = []

    def odd(handler, method, path):
        if method != "POST":
            return False
        seen.append(path)
        if len(seen) not in (2, 5):
            return False
        handler.close_connection = True
        try:
            handler.wfile.write(b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n")
            for _ in range(60):
                handler.wfile.write(b" ")
                time.sleep(0.1)
        except OSError:
            pass
        return True

    world.odd = odd
    people = bench.leads(10)
    ended = bench.run(world, "--reserve", 3, "--wait", timeout=30)
    need(ended.seconds < 12, f"{ended}")
    once(world, people)


@scenario
def endless_headers(bench):
    world = bench.standin(talk=0.2)
    posts = [0]

    def odd(handler, method, path):
        if method != "POST":
            return False
        posts[0] += 1
        if posts[0] != 2:
            return False
        handler.close_connection = True
        try:
            handler.wfile.write(b"HTTP/1.1 201 Created\r\n")
            for n in range(400000):
                handler.wfile.write(b"x-%d: %s\r\n" % (n, b"y" * 200))
        except OSError:
            pass
        return True

    world.odd = odd
    people = bench.leads(8)
    ended = bench.run(world, "--reserve", 3, "--wait", timeout=60)
    bench.note(f"{ended.memory} MB")
    need(ended.memory < 100, f"{ended.memory} MB")
    once(world, people)


@slow
def dripping_answers(bench):
    """Answers that come a byte at a time: no hang, nobody twice."""
    world = bench.standin(talk=0.2)
    count = {"POST": 0, "GET": 0}

    def odd(handler, method, path):
        if not path.startswith("/call"):
            return False
        count[method] += 1
        if (method == "POST" and count[method] != 3) or (method == "GET" and count[method] not in (4, 9)):
            return False
        handler.close_connection = True
        try:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 90000\r\n\r\n")
            for _ in range(300):
                handler.wfile.write(b" ")
                time.sleep(0.2)
        except OSError:
            pass
        return True

    world.odd = odd
    people = bench.leads(10)
    ended = bench.run(world, "--reserve", 3, "--wait", timeout=200)
    bench.note(f"{ended.seconds:.0f} s")
    once(world, people)


@scenario
def compressed_bomb(bench):
    """A small answer that unpacks to a great one."""
    bomb = gzip.compress(b"[" + b" " * 300_000_000, 9)

    def odd(handler, method, path):
        if method == "POST" and not sent:
            sent.append(1)
            handler.send_response(400)
            handler.send_header("content-type", "application/json")
            handler.send_header("content-encoding", "gzip")
            handler.send_header("content-length", str(len(bomb)))
            handler.end_headers()
            handler.wfile.write(bomb)
            return True
        return False

    sent = []
    world = bench.standin(talk=0.2, odd=odd)
    people = bench.leads(6)
    ended = bench.run(world, "--reserve", 3, code=None)
    bench.note(f"exit {ended.code}, {ended.memory} MB")
    need(ended.memory < 100, f"{ended.memory} MB")
    once(world, people, missing=1)


@scenario
def deep_json(bench):
    """Answers nested a hundred thousand deep: no crash."""
    deep = "[" * 100000 + "]" * 100000

    def odd(handler, method, path):
        if path.startswith("/call"):
            count[method] += 1
            if count[method] in (3, 5):
                handler.reply({"POST": 400, "GET": 200}[method], deep)
                return True
        return False

    count = {"POST": 0, "GET": 0}
    world = bench.standin(talk=0.2, odd=odd)
    people = bench.leads(10)
    ended = bench.run(world, "--reserve", 3, "--wait", code=None, timeout=60)
    bench.note(f"exit {ended.code}")
    need(ended.code in (0, 5), f"{ended}")
    once(world, people, missing=2)


@scenario
def odd_values(bench):
    """Rows with values that nobody would expect: numbers too large, dates wrong, fields of another kind."""
    world = bench.standin(talk=0.3)
    plain, n = world.row, [0]
    strange = [{"cost": 1e308}, {"cost": -5}, {"cost": None}, {"cost": "much"}, {"startedAt": "yesterday"},
               {"updatedAt": "9999-12-31T23:59:59.999Z"}, {"customer": None}, {"customer": []}, {"endedAt": None},
               {"monitor": 7}, {"status": "not-found"}, {"somethingNew": {"a": [[[]]]}}]

    def row(call):
        n[0] += 1
        return plain(call) | strange[n[0] % len(strange)] if call["type"] != "outboundPhoneCall" else plain(call)

    world.row = row
    world.inbound = 4.0
    world.streams["inboundPhoneCall"] = time.time()
    people = bench.leads(30)
    bench.run(world, "--reserve", 3)
    once(world, people)


@scenario
def clock_far_off(bench):
    """A provider whose Date is an hour off: the hours would be wrong, so nobody is dialed, exit 1."""
    world = bench.standin(skew=3600.0)
    bench.leads(5)
    ended = bench.run(world, code=1)
    need(not world.posts, f"{ended}")


@scenario
def date_and_stamps_differ(bench):
    """A Date half a second off the stamps: another machine answers than creates."""
    world = bench.standin(date_offset=1.5, talk=0.4, inbound=1.0)
    people = bench.leads(40)
    bench.run(world, "--reserve", 3)
    once(world, people)
    tight, dials = world.tight(3)
    bench.note(f"{tight} of {dials} dials tight, busy {world.busy(3):.0%}")
    need(tight <= 0.1 * dials, f"{tight} of {dials} dials into the reserve")


@scenario
def two_organisations(bench):
    """A key of another organisation on the same state directory: another account, nothing shared but the phones."""
    world = bench.standin(talk=0.2)
    people = bench.leads(6)
    bench.run(world)
    other = bench.standin(talk=0.2)
    bench.run(other)
    once(world, people)
    once(other, people)
