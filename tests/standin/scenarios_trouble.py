"""Trouble with the account, its lines, its limits and the network."""

import socket
import threading
import time
from email.utils import formatdate

from bench import KEY, need, phone
from scenario import case, ends, holds, mark, note, once, put, rest, run, scenario, start
from standin import Handler, Server
from world import E164

TWO = "--phone-number-id line-1 --phone-number-id line-2"
INVALID_KEY = {"message": "Invalid Key", "error": "Unauthorized", "statusCode": 401}
LIMITED = 429, {"message": "Rate limit exceeded", "statusCode": 429}
ODD = 400, {"message": "the moon is in the wrong house", "error": "Bad Request", "statusCode": 400}


def answers(status, body, method=None, when=lambda: True):
    """An `odd` that answers everything under /call this way."""
    def odd(handler, was, path):
        if not path.startswith("/call") or method not in (None, was) or not when():
            return False
        handler.reply(status, body)
        return True
    return odd


def over(reason, after=0.0):
    """What becomes of a call that ends for such a reason, having rung nobody."""
    return lambda call: {"reason": reason, "end": call["began"] + after, "answer": call["began"] + 99,
                         "ring": call["began"] + 99}


# ---- the key


case("wrong_key", "", 5, dict(key="another"), run("", 5, "not posts", "'error' in it"), put(key=KEY), run())
case("key_refused_midway", "401 in the middle: out at once with 5, nobody burnt; with a key again it goes on.",
     25, dict(talk=0.5), start(until=8), put(key="rolled"), ends(5, within=10), put(key=KEY), run())
case("key_refused_at_a_request", "401 to a request alone, the listing still answering: exit 5 at once.",
     20, dict(talk=2.0, script=lambda n, body: (401, INVALID_KEY) if n > 5 else None),
     run("", 5, "len(posts) <= 10", timeout=8), put(script=None, talk=0.3), run())
case("key_refused_in_the_search", "The pre-flight is let in and the listing is not: exit 5, a handful of requests.",
     5, dict(odd=answers(401, INVALID_KEY)), run("", 5, "not posts", "len(requests) < 12", timeout=8), once=None)


# ---- the listing


case("listing_broken_from_the_start", "Without a search nobody is dialed: exit 1.",
     5, dict(odd=answers(500, "<html>no</html>", "GET")), run("", 1, "not posts"),
     note("{ended.seconds:.0f} s, {len(requests)} requests"), once=None)


@scenario(25, talk=0.4)
def listing_breaks_midway(s):
    """The listing fails for some seconds: no dial on old news, nothing lost."""
    broken = threading.Event()
    s.world.odd = answers(503, "", "GET", broken.is_set)
    s.start(until=9)
    broken.set()
    time.sleep(0.6)
    posts = len(s.world.posts)
    time.sleep(2)
    assert len(s.world.posts) == posts, f"{len(s.world.posts) - posts} dials on old news"
    broken.clear()
    s.ends(within=40)


@scenario(25, talk=0.3, inbound=0.5)
def listing_rate_limited(s):
    """The listing is rate-limited or broken now and then: it goes on, slower."""
    count = [0]

    def odd(handler, method, path):
        if method != "GET" or not path.startswith("/call"):
            return False
        count[0] += 1
        if count[0] % 5 not in (1, 2) or count[0] <= 3:
            return False
        handler.reply(*[LIMITED, (500, "<html>"), (200, "<html>"), (200, {"results": []})][count[0] // 5 % 4])
        return True

    s.world.odd = odd
    s.run()


# ---- credit


NO_CREDIT = "call.start.error-subscription-insufficient-credits"
case("no_credit_midway", "Out of credit: calls are followed, exit 5, nobody burnt; later it goes on.",
     25, dict(credit=9, talk=0.5), run("", 5, "len(posts) <= 17", "settled == 9", "up == 0"), mark(before="len(posts)"),
     run("", 5, "len(posts) - before <= 2"), put(credit=10**9), run())
for name, after in (("no_credit_by_reason", 0.25), ("no_credit_in_the_answer", 0.0)):
    case(name, "Calls that end for want of credit: exit 5, nobody burnt; later it goes on.", 20,
         dict(talk=0.3, becomes=lambda n, call, after=after: n > 6 and over(NO_CREDIT, after)(call)),
         run("", 5, "settled == 6", "len(posts) <= 14", timeout=15), put(becomes=None), run(),
         holds("sorted(call['body']['customer']['number'] for call in world.ours()"
               " if call['reason'][:10] != 'call.start') == people"), once=None)
case("doubt_that_ended_for_the_account",
     "The answer is lost, and the listing shows that the call ended for want of credit: exit 5, not on and on.",
     20, dict(talk=0.3, script=lambda n, body: "drop-after" if n > 6 else None,
              becomes=lambda n, call: n > 6 and over(NO_CREDIT, 0.1)(call)),
     run("--wait", 5, "len(posts) <= 20", timeout=20), note("{len(posts)} requests"), once=None)


@scenario()
def account_texts(s):
    """Other words of an account in trouble: exit 5, and nobody burnt."""
    for status, body in [
        (402, {"message": "Payment Required"}), (403, "error code: 1010"), (404, {"message": "Cannot POST /call"}),
        (400, {"message": "Billing Limits Exceeded", "statusCode": 400}),
        (400, {"message": ["Your subscription is frozen."]}), (301, ""), (302, ""), (307, ""), (308, ""),
        (400, {"message": "assistantId must reference an available published assistant"}),
        (400, {"message": ["property dialer should not exist"], "error": "Bad Request", "statusCode": 400}),
    ]:
        world = s.standin(script=lambda n, body, say=(status, body): say)
        s.leads(6)
        ended = s.run("", 5, world=world, state=f"state-{len(s.standins)}")
        need(len(world.posts) <= 7, f"{status} {body}: {len(world.posts)} requests: {ended}")
        need("leads" not in ended.json or ended.json.leads.settled == 0, f"{status} {body}: burnt: {ended}")


@scenario(3, once=None)
def redirected_elsewhere(s):
    """A redirect is not followed, wherever it leads, and takes the key nowhere."""
    other = s.standin(talk=0.2)

    def redirect(handler, method, path):
        handler.send_response(307)
        handler.send_header("location", other.url + path)
        handler.send_header("content-length", "0")
        handler.end_headers()
        return True

    for odd in (redirect, lambda handler, method, path: method == "POST" and redirect(handler, method, path)):
        s.world.odd = odd
        s.run("", 5)
        assert not other.requests, other.requests


# ---- assistants and lines


case("missing_assistant", "", 5, dict(gone_assistants=["assistant-1"]),
     run("", 5, "not posts", "'assistant' in ended.err"), once=None)
case("missing_line_of_two", "A phone number that is gone leaves the rotation; the other does all.",
     15, dict(gone_lines=["line-2"], talk=0.2), run(TWO), holds("{post['line'] for post in posts} == {'line-1'}"))
case("missing_lines", "", 5, dict(gone_lines=["line-1"]), run("", 5, "not posts", "'line-1' in ended.err"), once=None)
GONE = {"message": "`phoneNumber` `line-2` does not exist.", "error": "Bad Request", "statusCode": 400}
case("line_dies_midway",
     "A line that is refused at a request leaves the rotation, but for what is on its way then; its lead is called from the other.",
     15, dict(dead_lines={"line-2": (400, GONE)}, talk=0.2), run(TWO),
     holds("any(post['line'] == 'line-2' for post in posts) and"
           " max(post['at'] for post in posts if post['line'] == 'line-2')"
           " - min(post['at'] for post in posts if post['line'] == 'line-2') <= 0.15",
           "sum(post['line'] == 'line-2' for post in posts) <= 7"))
case("daily_limit_of_one_line", "", 20, dict(daily={"line-2": 3}, talk=0.2), run(TWO))
case("daily_limit_of_the_only_line", "Exit 5, and `next_at` at midnight UTC.", 20, dict(daily={"line-1": 6}, talk=0.3),
     run("", 5, "rung == settled == 6", "(it.next_at or '').endswith('T00:00:00Z')"), put(daily={}), run())
WORN = over("call.start.error-vapi-number-outbound-daily-limit")
case("daily_limit_by_reason", "A line's daily limit, told by calls that end at once in their own answer.",
     16, dict(talk=0.3, becomes=lambda n, call: call["body"]["phoneNumberId"] == "line-2" and WORN(call)),
     run(TWO, 0, "sum(post['line'] == 'line-2' for post in posts) <= 8", timeout=15),
     holds("{c['body']['customer']['number'] for c in world.ours() if c['body']['phoneNumberId'] == 'line-1'} == set(people)"),
     once=None)


# ---- too many requests


@scenario(12, rate_limit=3, retry_after="1", talk=0.2)
def rate_limited(s):
    """429 with Retry-After: nobody dialed for that long, then everybody."""
    s.run()
    at = [post["at"] for post in s.world.posts]
    assert at[1] - at[0] >= 0.95, f"sent again after {at[1] - at[0]:.2f} s"


@scenario()
def retry_after_of_all_kinds(s):
    """A Retry-After that is nought, no number, a date, or negative: heard where it can be, and no hang."""
    for value in ("0", formatdate(time.time() + 2, usegmt=True), "1.5"):
        world, people = s.standin(rate_limit=1, retry_after=value, talk=0.1), s.leads(4)
        ended = s.run(world=world, state=f"state-{len(s.standins)}", timeout=75)
        s.note(f"{value}: {ended.seconds:.1f} s")
        s.once(people, world)


case("rate_limited_midway", "429 with Retry-After in the middle of many: what is out comes in, nothing more is sent meanwhile.",
     30, dict(talk=0.3, retry_after="2", script=lambda n, body: LIMITED if n == 9 else None),
     run(), mark(hit="posts[8]['at']"), holds("not [p for p in posts if hit + 0.1 < p['at'] < hit + 1.9]"))
case("rate_limited_without_a_word", "429 without Retry-After: nothing until the next minute of UTC.",
     6, dict(rate_limit=1, talk=0.2), run(timeout=90), holds("posts[1]['at'] // 60 > posts[0]['at'] // 60"), slow=True)


# ---- refusals and faults


case("bad_number_in_the_middle", "", 15, dict(bad={phone(7): (400, E164)}, talk=0.2),
     run("", 0, "it.dispositions.get('invalid') == 1", "settled == 15", "phone(7) not in rings",
         "sum(post['number'] == phone(7) for post in posts) == 1"), once=dict(missing=1))
case("odd_refusals", "One odd 400 settles its lead as config; three in a row reopen the three and end with 5.",
     12, dict(talk=0.2, bad={phone(4): ODD}),
     run("", 0, "it.dispositions.get('config') == 1", "phone(4) not in rings"), once(missing=1),
     lambda s: setattr(s, "world", s.standin(slots=20, latency=0.05, talk=0.2, script=lambda n, body: ODD if n > 5 else None)),
     run("--slots 20", 5, "settled == 5", "len(posts) <= 15", state="other"), put(script=None), run(state="other"))
case("provider_faults_trip_the_breaker", "A provider that always fails is not asked for ever, and nobody is burnt.",
     40, dict(script=lambda n, body: "500-before"),
     run("", None, "ended.code in (4, 5)", "len(posts) <= 40", "settled in (None, 0)"),
     note("exit {ended.code}, {len(posts)} requests"), put(script=None), rest(2), run("--wait"))


# ---- the network


@scenario(25, talk=0.3)
def refused_connections_for_a_while(s):
    """Nobody listens for some seconds in the middle: nothing is lost, nobody twice."""
    s.start(until=9)
    s.world.odd = lambda handler, method, path: (handler.hang_up(True), True)[1]
    time.sleep(2.5)
    s.world.odd = None
    s.ends(None, "ended.code in (0, 4)")
    time.sleep(1)
    s.run("--wait")


@scenario(25, talk=0.3, close=True)
def gone_and_back(s):
    """The server dies in the middle and comes back on the same port some seconds later."""
    world = s.world
    s.start(until=9)
    world.standin.close()
    time.sleep(3)
    server = Server(("127.0.0.1", world.standin.port), Handler)
    server.world = world
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    world.standin.server = server
    s.ends(None, "ended.code in (0, 4)", "'can be reached again' in ended.err")
    s.run("--wait")


@scenario(5, slow=True, once=None)
def unreachable(s):
    """Nobody there at all: exit 1 after some two minutes, nothing lost."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        s.run(f"--base-url http://127.0.0.1:{held.getsockname()[1]}", 1, "ended.seconds < 180", timeout=200)
    s.note(f"after {s.ended.seconds:.0f} s")


@scenario(25, slow=True, once=None, talk=0.3, close=True)
def unreachable_midway(s):
    """The server goes for good in the middle: exit 1 after two minutes, nobody called twice."""
    s.start(until=9)
    s.world.standin.close()
    s.ends(1, "max(rings.values()) == 1", within=200)
    s.note(f"after {s.ended.seconds:.0f} s")


# ---- clocks


case("clock_far_off", "A provider whose Date is an hour off: the hours would be wrong, so nobody is dialed, exit 1.",
     5, dict(skew=3600.0), run("", 1, "not posts"), once=None)
case("date_and_stamps_differ", "A Date half a second off the stamps: another machine answers than creates.",
     40, dict(date_offset=1.5, talk=0.4, inbound=1.0), run(), holds("world.tight(3)[0] <= 0.1 * world.tight(3)[1]"))
