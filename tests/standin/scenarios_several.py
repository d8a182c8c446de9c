"""Several at once: lines that only some leads name, campaigns, machines and organisations beside each other or in turn."""

import time

from bench import INT, TERM, phone, wait_for
from scenario import case, ends, kill, mark, once, put, run, scenario, start
from world import DAILY

LIMITED = {"message": "Rate limit exceeded", "statusCode": 429}
BY_THE_DAY = "call.start.error-vapi-number-outbound-daily-limit"
ONE_TWO = "--phone-number-id line-1,line-2 "


# ---- lines


def naming(*lines):
    """A list whose leads name lines of their own, or none."""
    def listed(s):
        s.people = [phone(n) for n in range(len(lines))]
        rows = [f"{number},{line}\n" for number, line in zip(s.people, lines)]
        s.write("number,phone_number_id\n" + "".join(rows))
    return listed


BATCHES = "s.query('select count(*) from batches') <= 3"
case("own_line_gone", "Leads that name a line which is gone stay open, the others are called, exit 5 after a batch or two.",
     0, dict(talk=0.2, gone_lines=["line-2"]), naming(*["", "line-2"] * 3),
     run(ONE_TWO, 5, "(settled, open, doubt) == (3, 3, 0)", "len(posts) == 3", BATCHES, timeout=12), once(missing=3),
     put(gone_lines=[]), run(ONE_TWO))
case("own_line_at_its_daily_limit",
     "Leads that name a line at its daily limit stay open until tomorrow, the others are called, exit 5.",
     0, dict(talk=0.2, daily={"mine": 0}), naming(*["mine", "", ""] * 2),
     run("", 5, "(settled, open, doubt) == (4, 2, 0)", "it.next_at", "len(posts) <= 6", BATCHES, timeout=12),
     once=dict(missing=2))
case("own_line_of_twelve_thousand",
     "12,000 leads name a line that is out of calls until tomorrow: the others are called, and the run ends with its reason.",
     0, dict(talk=0.1, daily={"mine": 0}), naming(*["mine"] * 12000, "", "", ""),
     run("", 5, "(settled, open, doubt) == (3, 12000, 0)", "it.next_at", "len(posts) <= 6", "'mine' in ended.err",
         timeout=300),
     run("--wait", 5, "it.next_at", timeout=300), once=dict(missing=12000), slow=True)
case("own_line_gone_and_retries", "With --wait the retries of the others are waited for, although one lead's line is gone.",
     0, dict(talk=0.2, reasons={"customer-busy": 1}, gone_lines=["line-2"]), naming("line-2", "", "", "", ""),
     run(ONE_TWO + "--wait --attempts 3 --retry busy=1s --per-day 9", 5, "rings == dict.fromkeys(people[1:], 3)",
         "open == 1"), once=None)


@scenario(12, once=None, talk=0.3, steady=True)
def daily_limit_of_a_killed_run(s):
    """A call of a run that was killed ends for its line's daily limit: that line is dropped, and not the other."""
    world = s.world

    def script(n, body):
        if body["phoneNumberId"] != "line-2":
            return None
        if n > 6:
            return 400, DAILY
        call = world.bear("outboundPhoneCall", body, blocked=True)
        call["reason"], call["end"] = BY_THE_DAY, call["began"] + 2
        return 201, world.row(call) | {"subscriptionLimits": world.limits_now()}

    world.script = script
    s.start(ONE_TWO, until=6)
    s.running.kill()
    s.run(ONE_TWO, 0, "'line-1 is out' not in ended.err", "'line-2 is out' in ended.err",
          "set(rings) <= set(people)", "max(rings.values()) == 1")


# ---- a server that says to come back at once


@scenario(12, talk=0.5, retry_after="0")
def retry_after_none_to_the_listing(s):
    """Two seconds of 429 with Retry-After: 0 to the listing: it is not asked over and over."""
    first, count = [], []

    def odd(handler, method, path):
        if method != "GET" or not path.startswith("/call") or len(s.world.posts) < 3:
            return False
        first.append(time.time())
        if time.time() - first[0] > 2:
            return False
        count.append(path)
        handler.reply(429, LIMITED)
        return True

    s.world.odd = odd
    s.run()
    assert 0 < len(count) < 30, f"{len(count)} requests in two seconds"


@scenario(12, talk=0.5, retry_after="0")
def retry_after_none_to_a_request(s):
    """Two seconds of 429 with Retry-After: 0 to requests: nobody is burnt, and few are sent."""
    first, count = [], []

    def script(n, _):
        first.extend([time.time()] if n >= 3 else [])
        if n < 3 or time.time() - first[0] > 2:
            return None
        count.append(n)
        return 429, LIMITED

    s.world.script = script
    s.run()
    assert 0 < len(count) < 40, f"{len(count)} requests in two seconds"


# ---- doubts


@scenario(3, talk=0.3, steady=True)
def unlisted_calls_and_a_broken_answer(s):
    """Two calls that no listing shows, one of them not by its id either: the other is seen to end all the same."""
    world, asked = s.world, [0, 0]

    def odd(handler, method, path):
        if method != "GET" or not path.startswith("/call/"):
            return False
        names = [call["body"]["name"] for call in world.calls if call["id"] in path]
        place = [post["name"] for post in world.posts].index(names[0])
        if place < 2:
            asked[place] += 1
        if place == 0 and not asked[1]:
            handler.reply(500, {"message": "Internal server error", "statusCode": 500})
            return True
        return False

    def listed(query):
        status, rows = whole(query)
        hidden = {post["name"] for post in world.posts[:2]}
        return status, [row for row in rows if row["name"] not in hidden] if status == 200 else rows

    world.odd, whole, world.list = odd, world.list, listed
    s.run("", 0, "settled == 3", timeout=30)
    assert asked[0] and asked[1], asked


TWO_LOST = dict(talk=0.2, steady=True, script=lambda n, body: "drop-before" if n in (2, 3) else None)
SECOND = [lambda s: s.leads(8, "second.csv", 100)]
case("never_in_doubt_beside_another", "A campaign that never believes an absence is not overruled by the run of another.",
     5, TWO_LOST, *SECOND, start("--in-doubt never", until=5), kill(),
     run("--in-doubt 1s --rate 3/s", leads="second.csv"), mark(before="len(posts)"),
     run("--in-doubt never", 3, "len(posts) == before", "doubt == 2"), once=None)


@scenario(4, talk=0.3, steady=True, late_list=5.0, script=lambda n, body: "drop-after" if n == 2 else None, once=None)
def shorter_doubt_of_another(s):
    """A call is listed later than another campaign waits and sooner than its own does: nobody is called twice."""
    SECOND[0](s)
    s.start("--in-doubt 8s", until=4)
    time.sleep(0.2)
    s.running.kill()
    second = s.start("--in-doubt 1s --rate 2/s", leads="second.csv")
    time.sleep(2.6)
    s.run("--in-doubt 8s --wait", 0, "settled == 4", "all(rings.get(number) == 1 for number in people)")
    second.send(INT)
    s.ends(None, "max(rings.values()) == 1", running=second, within=30)


@scenario(5, talk=0.2, steady=True, script=lambda n, body: "drop-before" if n == 2 else None, once=None)
def done_beside_a_doubt_of_another(s):
    """A run whose own list is done ends with 0, whatever a campaign that died has left in doubt."""
    s.marks["alive"] = s.leads(3, "alive.csv", 100)
    s.start(until=5)
    time.sleep(0.6)
    s.running.kill()
    s.run("--in-doubt 1m", 0, "ended.seconds < 10", "all(rings[number] == 1 for number in alive)", leads="alive.csv")


# ---- campaigns and runs beside each other


@scenario(20, talk=0.4)
def started_twice_at_once(s):
    """Four starts of one campaign in the same instant: one runs, three exit with 6."""
    runs = [s.start() for _ in range(4)]
    codes = sorted(s.ends(None, running=running, within=30).code for running in runs)
    assert codes == [0, 6, 6, 6], codes


@scenario(30, talk=0.5)
def second_run(s):
    """A second run of the same campaign: exit 6 within a second, naming the first."""
    first = s.start(until=1)
    s.run("", 6, "ended.seconds < 1", f"'{first.process.pid}' in ended.err")
    s.ends(running=first)


def two(s, *runs, within=60):
    """Both at once: how they ended."""
    return [s.ends(None, running=running, within=within) for running in runs]


@scenario(talk=0.5, inbound=0.8, seed=6)
def two_campaigns(s):
    """Two campaigns of one state directory share the pool and keep the reserve together."""
    s.people = s.leads(40, "one.csv") + s.leads(40, "two.csv", 40)
    for running in [s.start(leads=name) for name in ("one.csv", "two.csv")]:
        s.ends(running=running)
    tight, dials = s.world.tight(3)
    assert tight <= 0.05 * dials, f"{tight} of {dials} dials into the reserve"
    assert s.world.busy(3) >= 0.6, f"busy {s.world.busy(3):.0%}"


@scenario(talk=0.5, once=None)
def two_campaigns_one_person(s):
    """The same people on two lists: by each campaign at most once, never both at the same time."""
    people = s.leads(12, "one.csv")
    s.leads(12, "two.csv")
    ends = two(s, *[s.start(leads=name) for name in ("one.csv", "two.csv")])
    assert {end.code for end in ends} <= {0, 4}, f"{ends[0]}\n{ends[1]}"
    s.note(f"exits {[end.code for end in ends]}, {sum(s.world.rings().values())} of 24 rung")
    assert set(s.world.rings()) == set(people) and max(s.world.rings().values()) <= 2, s.world.rings()
    for number in people:
        calls = s.world.calls_of(number)
        assert len({call["body"]["name"][:9] for call in calls}) == len(calls), f"{number} twice by one campaign"
        assert all(a["end"] <= b["began"] for a, b in zip(calls, calls[1:])), f"{number} was called while on the line"


@scenario(60, talk=0.6)
def two_machines(s):
    """The same list with another state directory, three seconds later: one of them parts."""
    first = s.start()
    time.sleep(3)
    s.run("", 6, "ended.seconds < 10", state="elsewhere")
    s.ends(running=first)


@scenario(60, talk=0.6, once=dict(missing=60))
def two_machines_adopting(s):
    """The second takes the calls over while the first still dials: both part, nobody twice."""
    first = s.start()
    time.sleep(2)
    ends = two(s, first, s.start("--adopt", state="elsewhere"))
    s.note(f"exits {ends[0].code} and {ends[1].code}")


@scenario(30, talk=0.5, once=dict(missing=30, doubled=1))
def two_machines_together(s):
    """Started in the same second: at most a lead each is called twice, and both know."""
    ends = two(s, *[s.start(state=state) for state in ("here", "there")])
    s.note(f"exits {ends[0].code} and {ends[1].code}, {sum(r - 1 for r in s.world.rings().values())} double")
    assert 6 in (ends[0].code, ends[1].code), f"{ends[0]}\n{ends[1]}"


@scenario(talk=3.0, steady=True, slots=6)
def orphans(s):
    """A campaign that died is followed by another one of the same state directory, its slots counted."""
    s.people = s.leads(3, "dead.csv") + s.leads(6, "alive.csv", 10)
    s.start(leads="dead.csv")
    wait_for(lambda: len(s.world.rings()) == 3, 10, "three calls")
    s.running.kill()
    s.world.talk = 0.3
    s.run("--reserve 2", 0, "world.tight(2)[0] <= 1", leads="alive.csv")
    s.once(missing=0)
    s.run(leads="dead.csv")


@scenario(400, talk=0.3, steady=True, latency=0.25, once=None)
def reserve_of_another(s):
    """Another campaign's reserve is the whole pool for now: this one waits for it, and does not give up."""
    world = s.world
    s.leads(3, "second.csv", 1000)
    first = s.start("--rate 40/s", until=10)
    # All day but for a minute on the other side of the clock.
    hour = (time.localtime().tm_hour + 12) % 24
    timetable = "00:00=3,00:01=10" if hour == 0 else f"00:00=10,{hour:02}:00=3,{hour:02}:01=10"
    second = s.start(f"--reserve {timetable} --wait", leads="second.csv")
    time.sleep(2)
    held = len(world.posts)
    time.sleep(1)
    assert first.up() and second.up() and len(world.posts) == held, f"{len(world.posts) - held} more: {first.err()}"
    second.send(TERM)
    second.end(10)
    wait_for(lambda: len(world.posts) > held + 5, 10, "going on after the other had ended")
    first.send(INT)
    s.ends(4, "max(rings.values()) == 1", running=first, within=20)


@scenario(300, talk=0.5, steady=True, slots=30, once=None)
def stranger_met_by_another(s):
    """Another machine rings this campaign, and a busier campaign beside it sees those calls first: exit 6 still."""
    world, people = s.world, set(s.people)
    s.leads(400, "second.csv", 1000)
    first = s.start("--rate 3/s --poll 1s --max-concurrent 2")
    second = s.start("--rate 20/s --poll 20ms", leads="second.csv")

    def mine():
        return [post for post in world.posts if post["number"] in people]

    wait_for(lambda: len(mine()) >= 3, 10, "the third request")
    pattern = mine()[0]
    for n in range(12):
        name = f"{pattern['name'].split('-')[0]}-abcdefghijklmnopqrstu{chr(ord('a') + n)}"
        world.bear("outboundPhoneCall", pattern["body"] | {
            "name": name, "customer": {"number": phone(200 + n), "externalId": name}, "foreign": True,
            "assistantOverrides": {"variableValues": {"dialer_attempt_id": name}}}, lasts=0.8)
        time.sleep(0.4)
    s.ends(6, running=first, within=10)
    assert second.up(), f"the other ended too: {second.err()[-800:]}"
    second.send(TERM)
    second.end(10)


@scenario(talk=0.6, steady=True)
def peak_of_two(s):
    """What a run reports as the most calls of its own leaves out those of the campaign beside it."""
    s.people = s.leads(8, "first.csv") + s.leads(30, "second.csv", 100)
    second = s.start(leads="second.csv", until=5)
    s.run("--max-concurrent 2", 0, "1 <= pool.peak_ours <= 2", leads="first.csv")
    s.ends(running=second, within=30)


# ---- organisations that share a pool


@scenario(10, talk=0.5, steady=True)
def pool_of_a_dead_organisation(s):
    """A run of another organisation in the same --pool was killed, and its calls are over: they hold nothing."""
    other = s.standin(talk=1.0, steady=True)
    s.leads(20, "second.csv", 100)
    s.start("--pool shared", leads="second.csv", world=other)
    wait_for(lambda: len(other.ours()) >= 7, 10, "the seventh call")
    time.sleep(0.2)
    s.running.kill()
    time.sleep(1.5)
    s.run("--pool shared", timeout=25)


@scenario(14, talk=0.1, steady=True)
def pool_of_a_dying_organisation(s):
    """The same where it dies in the middle, with all that is to be had: the other goes on when its calls are over."""
    other = s.standin(talk=2.0, steady=True)
    s.leads(60, "second.csv", 100)
    first = s.start("--pool shared --rate 2/s", until=2)
    second = s.start("--pool shared", leads="second.csv", world=other, until=7)
    time.sleep(0.4)
    second.kill()
    s.ends(running=first, within=25)


@scenario(6, talk=0.2)
def two_organisations(s):
    """A key of another organisation on the same state directory: another account, nothing shared but the phones."""
    s.run()
    other = s.standin(talk=0.2)
    s.run(world=other)
    s.once(world=other)
