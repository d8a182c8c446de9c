"""Several at once: lines that only some leads name, campaigns and organisations beside each other or in turn."""

import sqlite3
import time
from contextlib import closing

from standin import DAILY
from bench import INT, KILL, TERM, need, once, phone, wait_for

SCENARIOS = {}
LIMITED = {"message": "Rate limit exceeded", "statusCode": 429}
BY_THE_DAY = "call.start.error-vapi-number-outbound-daily-limit"


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


def with_lines(bench, lines):
    """A list whose leads name lines of their own, or none."""
    people = [phone(n) for n in range(len(lines))]
    rows = [f"{number},{line}" for number, line in zip(people, lines)]
    (bench.folder / "leads.csv").write_text("\n".join(["number,phone_number_id", *rows]) + "\n")
    return people


def batches(bench):
    with closing(sqlite3.connect(f"file:{bench.folder}/state/journal.db?mode=ro", uri=True)) as journal:
        return journal.execute("select count(*) from batches").fetchone()[0]


def killed(running):
    running.send(KILL)
    running.process.wait()


def aged(world, hours):
    """Everything so far happened that much earlier."""
    for call in world.calls:
        for stamp in ("began", "ring", "answer", "end", "listed", "counted"):
            call[stamp] -= hours * 3600


# ---- lines


@scenario
def own_line_gone(bench):
    """Leads that name a line which is gone stay open, the others are called, exit 5 after a batch or two."""
    world = bench.standin(talk=0.2, gone_lines=["line-2"])
    people = with_lines(bench, ["", "line-2"] * 3)
    ended = bench.run(world, "--phone-number-id", "line-1,line-2", code=5, timeout=12)
    leads = ended.json["leads"]
    need((leads["settled"], leads["open"], leads["in_doubt"]) == (3, 3, 0), f"{ended}")
    need(batches(bench) <= 3 and len(world.posts) == 3, f"{batches(bench)} batches, {len(world.posts)} requests")
    once(world, people, missing=3)
    world.gone_lines = []
    bench.run(world, "--phone-number-id", "line-1,line-2")
    once(world, people)


@scenario
def own_line_at_its_daily_limit(bench):
    """Leads that name a line at its daily limit stay open until tomorrow, the others are called, exit 5."""
    world = bench.standin(talk=0.2, daily={"mine": 0})
    people = with_lines(bench, ["mine", "", ""] * 2)
    ended = bench.run(world, code=5, timeout=12)
    leads = ended.json["leads"]
    need((leads["settled"], leads["open"], leads["in_doubt"]) == (4, 2, 0) and ended.json["next_at"], f"{ended}")
    need(batches(bench) <= 3 and len(world.posts) <= 6, f"{batches(bench)} batches, {len(world.posts)} requests")
    once(world, people, missing=2)


@scenario
def own_line_gone_and_retries(bench):
    """With --wait the retries of the others are waited for, although one lead's line is gone."""
    world = bench.standin(talk=0.2, reasons={"customer-busy": 1}, gone_lines=["line-2"])
    people = with_lines(bench, ["line-2", "", "", "", ""])
    ended = bench.run(world, "--phone-number-id", "line-1,line-2", "--wait", "--attempts", 3, "--retry", "busy=1s",
                      "--per-day", 9, code=5)
    need(world.rings() == dict.fromkeys(people[1:], 3), f"{world.rings()}: {ended}")
    need(ended.json["leads"]["open"] == 1, f"{ended}")


@scenario
def daily_limit_of_a_killed_run(bench):
    """A call of a run that was killed ends for its line's daily limit: that line is dropped, and not the other."""
    def script(n, body):
        if body["phoneNumberId"] != "line-2":
            return None
        if n > 6:
            return 400, DAILY
        call = world.bear("outboundPhoneCall", body, blocked=True)
        call["reason"], call["end"] = BY_THE_DAY, call["began"] + 2
        return 201, world.row(call) | {"subscriptionLimits": world.limits_now()}

    world = bench.standin(talk=0.3, steady=True, script=script)
    people = bench.leads(12)
    running = bench.start(world, "--phone-number-id", "line-1,line-2")
    wait_for(lambda: len(world.posts) >= 6, 10, "the sixth request")
    killed(running)
    ended = bench.run(world, "--phone-number-id", "line-1,line-2")
    need("line-1 is out" not in ended.err and "line-2 is out" in ended.err, f"{ended}")
    need(set(world.rings()) <= set(people) and max(world.rings().values()) == 1, f"{world.rings()}")


# ---- a server that says to come back at once


@scenario
def retry_after_none_to_the_listing(bench):
    """Two seconds of 429 with Retry-After: 0 to the listing: it is not asked over and over."""
    first, count = [], []

    def odd(handler, method, path):
        if method != "GET" or not path.startswith("/call") or len(world.posts) < 3:
            return False
        first.append(time.time())
        if time.time() - first[0] > 2:
            return False
        count.append(path)
        handler.reply(429, LIMITED)
        return True

    world = bench.standin(talk=0.5, odd=odd, retry_after="0")
    people = bench.leads(12)
    bench.run(world)
    bench.note(f"{len(count)} answers of 429")
    need(0 < len(count) < 30, f"{len(count)} requests in two seconds")
    once(world, people)


@scenario
def retry_after_none_to_a_request(bench):
    """Two seconds of 429 with Retry-After: 0 to requests: nobody is burnt, and few are sent."""
    first, count = [], []

    def script(n, _):
        if n < 3:
            return None
        first.append(time.time())
        if time.time() - first[0] > 2:
            return None
        count.append(n)
        return 429, LIMITED

    world = bench.standin(talk=0.5, script=script, retry_after="0")
    people = bench.leads(12)
    bench.run(world)
    bench.note(f"{len(count)} answers of 429")
    need(0 < len(count) < 40, f"{len(count)} requests in two seconds")
    once(world, people)


# ---- doubts


@scenario
def unlisted_calls_and_a_broken_answer(bench):
    """Two calls that no listing shows, one of them not by its id either: the other is seen to end all the same."""
    asked = [0, 0]

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

    world = bench.standin(talk=0.3, steady=True, odd=odd)
    whole, world.list = world.list, listed
    people = bench.leads(3)
    ended = bench.run(world, timeout=30)
    bench.note(f"asked for {asked[0]} and {asked[1]} times")
    need(asked[0] and asked[1] and ended.json["leads"]["settled"] == 3, f"{asked}: {ended}")
    once(world, people)


@scenario
def never_in_doubt_beside_another(bench):
    """A campaign that never believes an absence is not overruled by the run of another."""
    world = bench.standin(talk=0.2, steady=True, script=lambda n, body: "drop-before" if n in (2, 3) else None)
    bench.leads(5, "first.csv")
    bench.leads(8, "second.csv", 100)
    first = bench.start(world, "--in-doubt", "never", leads="first.csv")
    wait_for(lambda: len(world.posts) >= 5, 10, "the fifth request")
    killed(first)
    bench.run(world, "--in-doubt", "1s", "--rate", "3/s", leads="second.csv")
    posts = len(world.posts)
    ended = bench.run(world, "--in-doubt", "never", leads="first.csv", code=3)
    more = len(world.posts) - posts
    need(more == 0 and ended.json["leads"]["in_doubt"] == 2, f"{more} more: {ended}")


@scenario
def shorter_doubt_of_another(bench):
    """A call is listed later than another campaign waits and sooner than its own does: nobody is called twice."""
    world = bench.standin(talk=0.3, steady=True, late_list=5.0,
                          script=lambda n, body: "drop-after" if n == 2 else None)
    bench.leads(4, "first.csv")
    bench.leads(8, "second.csv", 100)
    first = bench.start(world, "--in-doubt", "8s", leads="first.csv")
    wait_for(lambda: len(world.posts) >= 4, 10, "the fourth request")
    time.sleep(0.2)
    killed(first)
    second = bench.start(world, "--in-doubt", "1s", "--rate", "2/s", leads="second.csv")
    time.sleep(2.6)
    ended = bench.run(world, "--in-doubt", "8s", "--wait", leads="first.csv")
    need(ended.json["leads"]["settled"] == 4, f"{ended}")
    need(all(world.rings().get(phone(n)) == 1 for n in range(4)), f"{world.rings()}")
    second.send(INT)
    bench.adds_up(second.end(30))
    need(max(world.rings().values()) == 1, f"{world.rings()}")


@scenario
def done_beside_a_doubt_of_another(bench):
    """A run whose own list is done ends with 0, whatever a campaign that died has left in doubt."""
    world = bench.standin(talk=0.2, steady=True, script=lambda n, body: "drop-before" if n == 2 else None)
    bench.leads(5, "dead.csv")
    people = bench.leads(3, "alive.csv", 100)
    dead = bench.start(world, leads="dead.csv")
    wait_for(lambda: len(world.posts) >= 5, 10, "the fifth request")
    time.sleep(0.6)
    killed(dead)
    ended = bench.run(world, "--in-doubt", "1m", leads="alive.csv")
    need(ended.seconds < 10 and all(world.rings()[number] == 1 for number in people), f"{ended}")


# ---- how far back was looked


@scenario
def short_look_before_a_lost_state(bench):
    """With the journal lost, a short look-back of another campaign hides nobody's calls from the next: exit 6."""
    world = bench.standin(talk=0.1, steady=True)
    people = bench.leads(8, "first.csv")
    bench.leads(1, "second.csv", 100)
    bench.run(world, leads="first.csv")
    aged(world, 14)
    bench.run(world, "--look-back", "1h", leads="second.csv", state="new")
    bench.run(world, leads="first.csv", state="new", code=6)
    need(all(world.rings()[number] == 1 for number in people), f"{world.rings()}")


@scenario
def short_look_over_a_gap(bench):
    """A run with a short look-back jumps over hours in which another machine rang: the next one looks into them."""
    world = bench.standin(talk=0.1, steady=True)
    bench.leads(1, "before.csv", 100)
    bench.leads(2, "after.csv", 200)
    people = bench.leads(8)
    bench.run(world, leads="before.csv")
    bench.run(world, state="elsewhere")
    aged(world, 14)
    with closing(sqlite3.connect(bench.folder / "state" / "journal.db")) as journal, journal:
        journal.execute("update accounts set watermark = watermark - ?", (15 * 3600 * 10**6,))
    bench.run(world, "--look-back", "1h", leads="after.csv")
    bench.run(world, code=6)
    need(all(world.rings()[number] == 1 for number in people), f"{world.rings()}")


# ---- campaigns beside each other


@scenario
def reserve_of_another(bench):
    """Another campaign's reserve is the whole pool for now: this one waits for it, and does not give up."""
    world = bench.standin(talk=0.3, steady=True, latency=0.25)
    bench.leads(400, "first.csv")
    bench.leads(3, "second.csv", 1000)
    first = bench.start(world, "--rate", "40/s", leads="first.csv")
    wait_for(lambda: len(world.posts) >= 10, 10, "the tenth request")
    # All day but for a minute on the other side of the clock.
    hour = (time.localtime().tm_hour + 12) % 24
    timetable = "00:00=3,00:01=10" if hour == 0 else f"00:00=10,{hour:02}:00=3,{hour:02}:01=10"
    second = bench.start(world, "--reserve", timetable, "--wait", leads="second.csv")
    time.sleep(2)
    held = len(world.posts)
    time.sleep(1)
    need(first.up() and second.up() and len(world.posts) == held, f"{len(world.posts) - held} more: {first.err()}")
    second.send(TERM)
    second.end(10)
    wait_for(lambda: len(world.posts) > held + 5, 10, "going on after the other had ended")
    first.send(INT)
    ended = first.end(20)
    bench.adds_up(ended)
    need(ended.code == 4 and max(world.rings().values()) == 1, f"{ended}")


@scenario
def stranger_met_by_another(bench):
    """Another machine rings this campaign, and a busier campaign beside it sees those calls first: exit 6 still."""
    world = bench.standin(talk=0.5, steady=True, slots=30)
    people = set(bench.leads(300, "first.csv"))
    bench.leads(400, "second.csv", 1000)
    first = bench.start(world, "--rate", "3/s", "--poll", "1s", "--max-concurrent", 2, leads="first.csv")
    second = bench.start(world, "--rate", "20/s", "--poll", "20ms", leads="second.csv")

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
    ended = first.end(10)
    bench.adds_up(ended)
    need(ended.code == 6, f"{ended}")
    need(second.up(), f"the other ended too: {second.err()[-800:]}")
    second.send(TERM)
    second.end(10)


@scenario
def peak_of_two(bench):
    """What a run reports as the most calls of its own leaves out those of the campaign beside it."""
    world = bench.standin(talk=0.6, steady=True)
    people = bench.leads(8, "first.csv") + bench.leads(30, "second.csv", 100)
    second = bench.start(world, leads="second.csv")
    wait_for(lambda: len(world.posts) >= 5, 10, "the fifth request")
    ended = bench.run(world, "--max-concurrent", 2, leads="first.csv")
    other = second.end(30)
    bench.adds_up(other)
    need(1 <= ended.json["pool"]["peak_ours"] <= 2 and other.code == 0, f"{ended}\n{other}")
    once(world, people)


# ---- organisations that share a pool


@scenario
def pool_of_a_dead_organisation(bench):
    """A run of another organisation in the same --pool was killed, and its calls are over: they hold nothing."""
    world, other = bench.standin(talk=0.5, steady=True), bench.standin(talk=1.0, steady=True)
    people = bench.leads(10, "first.csv")
    bench.leads(20, "second.csv", 100)
    second = bench.start(other, "--pool", "shared", leads="second.csv")
    wait_for(lambda: len(other.ours()) >= 7, 10, "the seventh call")
    time.sleep(0.2)
    killed(second)
    time.sleep(1.5)
    bench.run(world, "--pool", "shared", leads="first.csv", timeout=25)
    once(world, people)


@scenario
def pool_of_a_dying_organisation(bench):
    """The same where it dies in the middle, with all that is to be had: the other goes on when its calls are over."""
    world, other = bench.standin(talk=0.1, steady=True), bench.standin(talk=2.0, steady=True)
    people = bench.leads(14, "first.csv")
    bench.leads(60, "second.csv", 100)
    first = bench.start(world, "--pool", "shared", "--rate", "2/s", leads="first.csv")
    wait_for(lambda: len(world.posts) >= 2, 10, "the second request")
    second = bench.start(other, "--pool", "shared", leads="second.csv")
    wait_for(lambda: len(other.posts) >= 7, 10, "the seventh request of the other")
    time.sleep(0.4)
    killed(second)
    ended = first.end(25)
    bench.adds_up(ended)
    need(ended.code == 0, f"{ended}")
    once(world, people)
