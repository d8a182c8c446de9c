"""What may have called: lost answers, kills, lost journals, several runs. Nobody twice, nobody lost."""

import random
import shutil
import time

from bench import INT, KILL, Wrong, need, once, phone, wait_for

SCENARIOS = {}
STORM = {"drop-after": 0.08, "drop-before": 0.05, "reset-after": 0.04, "html-after": 0.04, "html-before": 0.04,
         "empty-after": 0.02, "409-after": 0.02, "408-before": 0.02, "200-after": 0.03, "cut": 0.03, "slow": 0.03}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


def fate(name, created):
    def in_doubt(bench):
        world = bench.standin(faults={name: 0.25}, talk=0.3, seed=21)
        people = bench.leads(24)
        ended = bench.run(world, "--reserve", 3, "--wait", timeout=60)
        once(world, people)
        hit = sum(1 for post in world.posts if post["fate"] == name and "free" in post and post["free"] > 0)
        resolved = ended.json["calls"]["in_doubt_resolved"]
        # A listing may show a call before its own answer breaks: that one was never in doubt.
        least = hit // 2 if created and name not in ("cut", "slow") else 0 if created else 1
        need(hit > 0 and resolved >= least, f"{hit} doubts, {resolved} resolved: {ended.json['calls']}")
        bench.note(f"{hit} doubts")
    return in_doubt


for name in ("drop-after", "reset-after", "cut", "slow", "html-after", "500-after", "empty-after", "408-after",
             "409-after", "200-after", "201-empty", "201-array", "201-null"):
    SCENARIOS[f"doubt_{name}"] = fate(name, True)
for name in ("drop-before", "html-before", "500-before", "empty-before", "408-before", "409-before", "200-before"):
    SCENARIOS[f"doubt_{name}"] = fate(name, False)


def clock(**settings):
    def strange(bench):
        world = bench.standin(faults={"drop-after": 0.2, "drop-before": 0.15}, talk=0.3, seed=41, **settings)
        people = bench.leads(25)
        bench.run(world, "--reserve", 3, "--wait", timeout=30)
        once(world, people)
    return strange


SCENARIOS["doubts_ahead"] = clock(skew=45.0)
SCENARIOS["doubts_behind"] = clock(skew=-45.0)
SCENARIOS["doubts_without_date"] = clock(date=False)
SCENARIOS["doubts_without_date_behind"] = clock(date=False, skew=-40.0)
SCENARIOS["doubts_whole_seconds"] = clock(whole_seconds=True, order="any")
SCENARIOS["doubts_date_off"] = clock(date_offset=20.0)


@scenario
def storm(bench):
    """Every fault together, with inbound callers, out of order, run again until it is done."""
    world = bench.standin(faults=STORM, inbound=1.0, talk=0.3, order="any", seed=8)
    people = bench.leads(60)
    for _ in range(12):
        ended = bench.run(world, "--reserve", 3, code=None, timeout=60)
        need(ended.code in (0, 4), f"{ended}")
        if ended.code == 0:
            break
        time.sleep(0.5)
    need(ended.code == 0, f"never done: {ended}")
    once(world, people)
    need(ended.json["leads"]["settled"] == 60, f"{ended}")


@scenario
def storm_waits(bench):
    """The same in one run, with --wait."""
    world = bench.standin(faults=STORM, inbound=1.0, talk=0.3, limits=0.7, seed=9)
    people = bench.leads(60)
    bench.run(world, "--reserve", 3, "--wait", timeout=90)
    once(world, people)


@scenario
def listed_later_than_the_answer_is_lost(bench):
    """A call that is listed a second late, its answer lost: less than --in-doubt, so it is waited for."""
    world = bench.standin(faults={"drop-after": 0.3}, late_list=1.2, talk=0.3, seed=4)
    people = bench.leads(15)
    bench.run(world, "--reserve", 3, "--wait", timeout=60)
    once(world, people)


@scenario
def created_late(bench):
    """Created a second after its request was dropped: less than --in-doubt."""
    world = bench.standin(faults={"late-create": 0.3}, talk=0.3, seed=4)
    people = bench.leads(15)
    bench.run(world, "--reserve", 3, "--wait", timeout=60)
    once(world, people)


@scenario
def created_too_late(bench):
    """Shown long after --in-doubt: not promised, but it is followed and told, and the run ends."""
    world = bench.standin(talk=0.3, script=lambda n, body: "drop-after" if n == 3 else None)
    people = bench.leads(12)
    born = world.bear

    def late(kind, body, *more, **other):
        call = born(kind, body, *more, **other)
        if len(world.posts) == 3:
            call["listed"] = call["began"] + 3.2
            call["end"] = call["began"] + 9
        return call

    world.bear = late
    ended = bench.run(world, "--reserve", 3, "--in-doubt", "600ms", "--wait", "--post-timeout", "500ms", timeout=60)
    once(world, people, doubled=1)
    again = bench.run(world, "--reserve", 3, "--in-doubt", "600ms", code=None)
    bench.note(f"{sum(rung - 1 for rung in world.rings().values())} double, exits {ended.code} and {again.code}")


@scenario
def never_in_doubt(bench):
    """--in-doubt never: parked, exit 3; released, they are called."""
    world = bench.standin(faults={"drop-before": 0.25}, talk=0.3, seed=2)
    people = bench.leads(24)
    ended = bench.run(world, "--reserve", 3, "--in-doubt", "never", "--wait", code=3, timeout=60)
    parked = ended.json["leads"]["in_doubt"]
    need(parked == 24 - len(world.rings()) and parked > 0, f"{parked} parked, {len(world.rings())} called: {ended}")
    again = bench.run(world, "--reserve", 3, "--in-doubt", "never", code=3)
    need(again.json["leads"]["in_doubt"] == parked, f"{again}")
    world.faults = {}
    released = bench.command("release", "leads", "--yes").end()
    need(released.code == 0, f"{released}")
    bench.run(world, "--reserve", 3, "--in-doubt", "never")
    once(world, people)


@scenario
def never_in_doubt_but_created(bench):
    """--in-doubt never, and the calls are there after all: found, nobody parked."""
    world = bench.standin(faults={"drop-after": 0.3}, talk=0.3, seed=2)
    people = bench.leads(20)
    bench.run(world, "--reserve", 3, "--in-doubt", "never", "--wait", timeout=60)
    once(world, people)


@scenario
def release_of_one(bench):
    world = bench.standin(script=lambda n, body: "drop-before" if n in (2, 3) else None, talk=0.2)
    people = bench.leads(6)
    bench.run(world, "--reserve", 3, "--in-doubt", "never", "--wait", code=3)
    lost = [number for number in people if number not in world.rings()]
    need(len(lost) == 2, f"{lost}")
    refused = bench.command("release", "leads").end()
    need(refused.code != 0, f"released without being asked: {refused}")
    released = bench.command("release", "leads", lost[0], "--yes").end()
    need(released.code == 0, f"{released}")
    bench.run(world, "--reserve", 3, "--in-doubt", "never", code=3)
    need(set(world.rings()) == set(people) - {lost[1]}, f"{world.rings()}")


@scenario
def always_broken(bench):
    """A request that always breaks holds up nobody, and does not go round for ever."""
    odd = phone(3)
    world = bench.standin(talk=0.3, script=lambda n, body: "drop-before" if body["customer"]["number"] == odd else None)
    people = bench.leads(60)
    ended = bench.run(world, "--reserve", 3, "--in-doubt", "200ms", "--wait", code=None, timeout=60)
    once(world, people, missing=1)
    tries = sum(1 for post in world.posts if post["number"] == odd)
    bench.note(f"exit {ended.code}, {tries} tries")
    need(tries <= 20 and ended.code in (3, 5), f"{tries} tries: {ended}")


@scenario
def kills(bench):
    """kill -9 at fifteen random moments, faults on; then it is finished."""
    world = bench.standin(faults=STORM, inbound=1.0, talk=0.4, slots=8, order="any", seed=13)
    people = bench.leads(150)
    dice = random.Random(5)
    for _ in range(15):
        running = bench.start(world, "--reserve", 3)
        time.sleep(dice.uniform(0.05, 1.3))
        running.send(KILL)
        running.process.wait()
    for _ in range(20):
        ended = bench.run(world, "--reserve", 3, "--wait", code=None, timeout=120)
        need(ended.code in (0, 4), f"{ended}")
        if ended.code == 0:
            break
    once(world, people)
    need(ended.json["leads"]["settled"] == 150, f"{ended}")
    tight, dials = world.tight(3)
    bench.note(f"{len(world.posts)} requests, {tight} of {dials} dials tight")
    need(tight <= 0.1 * dials, f"{tight} of {dials} dials into the reserve")


@scenario
def kills_of_two_campaigns(bench):
    """Two campaigns of one state directory, either killed at random moments, faults on."""
    world = bench.standin(faults=STORM, inbound=0.7, talk=0.4, order="newest", seed=17)
    lists = {"one.csv": bench.leads(40, "one.csv"), "two.csv": bench.leads(40, "two.csv", 40)}
    dice = random.Random(23)
    runs = {name: bench.start(world, "--reserve", 3, leads=name) for name in lists}
    for _ in range(12):
        time.sleep(dice.uniform(0.1, 0.7))
        name = dice.choice(list(lists))
        runs[name].send(KILL)
        runs[name].process.wait()
        runs[name] = bench.start(world, "--reserve", 3, leads=name)
    for run in runs.values():
        need(run.end(60).code in (0, 4), "a run failed")
    for name in lists:
        for _ in range(10):
            ended = bench.run(world, "--reserve", 3, "--wait", leads=name, code=None, timeout=60)
            if ended.code == 0:
                break
        need(ended.code == 0, f"{ended}")
    once(world, lists["one.csv"] + lists["two.csv"])
    tight, dials = world.tight(3)
    bench.note(f"{len(world.posts)} requests, {tight} of {dials} dials tight")
    need(tight <= 0.1 * dials, f"{tight} of {dials} dials into the reserve")


@scenario
def kills_and_a_lost_journal(bench):
    """Killed, the journal lost, adopted, killed while that went on, adopted again."""
    world = bench.standin(faults={"drop-after": 0.1, "500-after": 0.05}, talk=0.5, seed=19)
    people = bench.leads(40)
    dice = random.Random(3)
    for n in range(4):
        running = bench.start(world, "--reserve", 3, "--adopt")
        time.sleep(dice.uniform(1.0, 3.5))
        running.send(KILL)
        running.process.wait()
        if n % 2 == 0:
            shutil.rmtree(bench.folder / "state", ignore_errors=True)
    ended = bench.run(world, "--reserve", 3, "--adopt", "--wait", timeout=90)
    once(world, people)
    need(ended.json["leads"]["settled"] == 40, f"{ended}")


@scenario
def started_twice_at_once(bench):
    """Four starts of one campaign in the same instant: one runs, three exit with 6."""
    world = bench.standin(talk=0.4)
    people = bench.leads(20)
    runs = [bench.start(world, "--reserve", 3) for _ in range(4)]
    ends = [run.end(30) for run in runs]
    need(sorted(end.code for end in ends) == [0, 6, 6, 6], f"{[end.code for end in ends]}")
    once(world, people)


@scenario
def interrupted_with_doubts(bench):
    """Ctrl-C while answers are lost: followed, exit 4; then finished."""
    world = bench.standin(faults={"drop-after": 0.3, "drop-before": 0.2}, talk=0.6, seed=5)
    people = bench.leads(25)
    running = bench.start(world, "--reserve", 3)
    wait_for(lambda: len(world.posts) >= 8, 10, "the eighth request")
    running.send(INT)
    ended = running.end(20)
    bench.adds_up(ended)
    need(ended.code == 4, f"{ended}")
    bench.run(world, "--reserve", 3, "--wait", timeout=60)
    once(world, people)


@scenario
def kills_in_the_middle_of_a_request(bench):
    """Killed while the answer of a request is awaited, again and again."""
    world = bench.standin(faults={"slow": 0.4}, talk=0.3, seed=3)
    people = bench.leads(25)
    for _ in range(6):
        running = bench.start(world, "--reserve", 3)
        before = len(world.posts)
        try:
            wait_for(lambda: len(world.posts) > before + 1, 6)
        except Wrong:
            pass
        running.send(KILL)
        running.process.wait()
    world.faults = {}
    bench.run(world, "--reserve", 3, "--wait", timeout=60)
    once(world, people)


@scenario
def lost_state(bench):
    """A lost journal: exit 6 and nobody called; --adopt goes on."""
    world = bench.standin(talk=0.3)
    people = bench.leads(30)
    bench.run(world, "--reserve", 3, "--limit", 18, code=4)
    shutil.rmtree(bench.folder / "state")
    before = len(world.posts)
    ended = bench.run(world, "--reserve", 3, code=6)
    need(len(world.posts) == before and "--adopt" in ended.err and "18" in ended.err, f"{ended}")
    bench.run(world, "--reserve", 3, code=6)
    ended = bench.run(world, "--reserve", 3, "--adopt")
    once(world, people)
    need(ended.json["leads"]["settled"] == 30, f"{ended}")
    bench.run(world, "--reserve", 3)
    once(world, people)


@scenario
def lost_state_midway(bench):
    """Lost while calls are up and an answer was not heard."""
    world = bench.standin(talk=2.0, slots=8, script=lambda n, body: "slow" if n == 4 else None)
    people = bench.leads(14)
    running = bench.start(world, "--reserve", 3)
    wait_for(lambda: len(world.posts) >= 5, 10, "the fifth request")
    running.send(KILL)
    running.process.wait()
    shutil.rmtree(bench.folder / "state")
    bench.run(world, "--reserve", 3, code=6)
    bench.run(world, "--reserve", 3, "--adopt", timeout=60)
    once(world, people)
    tight, dials = world.tight(3)
    need(tight <= 1, f"{tight} of {dials} dials into the reserve")


@scenario
def adopted_although_late(bench):
    """The journal lost, and the last calls listed only a second later: the second search finds them."""
    world = bench.standin(talk=0.5, late_list=1.0)
    people = bench.leads(25)
    running = bench.start(world, "--reserve", 3)
    wait_for(lambda: len(world.posts) >= 10, 10, "the tenth request")
    running.send(KILL)
    running.process.wait()
    shutil.rmtree(bench.folder / "state")
    bench.run(world, "--reserve", 3, "--adopt", code=None, timeout=60)
    bench.run(world, "--reserve", 3, "--adopt", code=None, timeout=60)
    once(world, people)


@scenario
def restored_backup(bench):
    """A backup of the journal put back after more was called."""
    world = bench.standin(talk=0.3)
    people = bench.leads(30)
    bench.run(world, "--reserve", 3, "--limit", 8, code=4)
    shutil.copytree(bench.folder / "state", bench.folder / "backup")
    bench.run(world, "--reserve", 3, "--limit", 8, code=4)
    shutil.rmtree(bench.folder / "state")
    shutil.copytree(bench.folder / "backup", bench.folder / "state")
    bench.run(world, "--reserve", 3)
    once(world, people)


@scenario
def look_back(bench):
    """Calls older than --look-back are not seen; within it they are."""
    world = bench.standin(talk=0.2)
    people = bench.leads(12)
    bench.run(world, "--reserve", 3, "--limit", 5, code=4)
    for call in world.calls:
        for stamp in ("began", "ring", "answer", "end", "counted"):
            call[stamp] -= 3 * 86400
    shutil.rmtree(bench.folder / "state")
    bench.run(world, "--reserve", 3, code=6)
    bench.run(world, "--reserve", 3, "--look-back", "4d", code=6, state="second")
    bench.run(world, "--reserve", 3, "--adopt", state="fourth")
    once(world, people)


@scenario
def look_back_none(bench):
    """--look-back 0 searches nothing, and still nobody that the watch shows is called twice in the same hour."""
    world = bench.standin(talk=0.2)
    people = bench.leads(6)
    bench.run(world, "--reserve", 3)
    for call in world.calls:
        for stamp in ("began", "ring", "answer", "end", "counted"):
            call[stamp] -= 3600
    first = bench.run(world, "--reserve", 3, "--look-back", "0s", state="other", code=None)
    bench.note(f"an hour old: exit {first.code}, {max(world.rings().values())} rings each")
    for call in world.calls:
        for stamp in ("began", "ring", "answer", "end", "counted"):
            call[stamp] -= 86400
    was = dict(world.rings())
    bench.run(world, "--reserve", 3, "--look-back", "0s", state="third")
    need(all(world.rings()[number] == was[number] + 1 for number in people), f"{was} then {world.rings()}")


@scenario
def adopt_pages(bench):
    """A lost journal among thousands of other calls, in any order, some hundred in one second."""
    world = bench.standin(talk=0.2, order="any")
    people = bench.leads(30)
    bench.run(world, "--reserve", 3, "--limit", 20, code=4)
    now = time.time()
    for n in range(1500):
        world.bear("inboundPhoneCall", {"customer": {"number": "+13105550100"}}, now - 20 - (n % 400) * 0.0025 - n // 400,
                   lasts=0.5)
    bench.run(world, "--reserve", 3, code=6, state="other")
    bench.run(world, "--reserve", 3, "--adopt", state="other", timeout=60)
    once(world, people)


@scenario
def second_run(bench):
    """A second run of the same campaign: exit 6 within a second, naming the first."""
    world = bench.standin(talk=0.5)
    people = bench.leads(30)
    first = bench.start(world, "--reserve", 3)
    wait_for(lambda: world.posts, 10, "the first request")
    second = bench.run(world, "--reserve", 3, code=6)
    need(second.seconds < 1.0 and str(first.process.pid) in second.err, f"{second}")
    need(first.end().code == 0, "the first run was disturbed")
    once(world, people)


@scenario
def two_campaigns(bench):
    """Two campaigns of one state directory share the pool and keep the reserve together."""
    world = bench.standin(talk=0.5, inbound=0.8, seed=6)
    one, two = bench.leads(40, "one.csv"), bench.leads(40, "two.csv", 40)
    first = bench.start(world, "--reserve", 3, leads="one.csv")
    second = bench.start(world, "--reserve", 3, leads="two.csv")
    ends = [first.end(60), second.end(60)]
    need([end.code for end in ends] == [0, 0], f"{ends[0]}\n{ends[1]}")
    once(world, one + two)
    tight, dials = world.tight(3)
    bench.note(f"{tight} of {dials} dials tight, busy {world.busy(3):.0%}")
    need(tight <= 0.05 * dials, f"{tight} of {dials} dials into the reserve")
    need(world.busy(3) >= 0.6, f"busy {world.busy(3):.0%}")


@scenario
def two_campaigns_one_person(bench):
    """The same people on two lists: by each campaign at most once, never both at the same time."""
    world = bench.standin(talk=0.5)
    people = bench.leads(12, "one.csv")
    bench.leads(12, "two.csv")
    runs = [bench.start(world, "--reserve", 3, leads=name) for name in ("one.csv", "two.csv")]
    ends = [run.end(60) for run in runs]
    need({end.code for end in ends} <= {0, 4}, f"{ends[0]}\n{ends[1]}")
    need(set(world.rings()) == set(people) and max(world.rings().values()) <= 2, f"{world.rings()}")
    for number in people:
        calls = sorted((call for call in world.ours() if call["body"]["customer"]["number"] == number),
                       key=lambda call: call["began"])
        need(len({call["body"]["name"][:9] for call in calls}) == len(calls), f"{number} twice by one campaign")
        need(all(a["end"] <= b["began"] for a, b in zip(calls, calls[1:])), f"{number} was called while on the line")
    bench.note(f"exits {[end.code for end in ends]}, {sum(world.rings().values())} of 24 rung")


@scenario
def not_if_called_within(bench):
    world = bench.standin(talk=0.2)
    people = bench.leads(8, "one.csv")
    bench.leads(10, "two.csv")
    bench.run(world, "--reserve", 3, leads="one.csv")
    ended = bench.run(world, "--reserve", 3, "--not-if-called-within", "1h", leads="two.csv", code=4)
    need(ended.json["leads"]["open"] == 8 and ended.json["next_at"], f"{ended}")
    once(world, people + [phone(8), phone(9)])


@scenario
def two_machines(bench):
    """The same list with another state directory, three seconds later: one of them parts."""
    world = bench.standin(talk=0.6)
    people = bench.leads(60)
    first = bench.start(world, "--reserve", 3)
    time.sleep(3)
    second = bench.run(world, "--reserve", 3, code=6, state="elsewhere")
    ended = first.end(60)
    need(ended.code == 0, f"{ended}")
    once(world, people)
    need(second.seconds < 10, f"{second}")


@scenario
def two_machines_adopting(bench):
    """The second takes the calls over while the first still dials: both part, nobody twice."""
    world = bench.standin(talk=0.6)
    people = bench.leads(60)
    first = bench.start(world, "--reserve", 3)
    time.sleep(2)
    second = bench.start(world, "--reserve", 3, "--adopt", state="elsewhere")
    ends = [first.end(60), second.end(60)]
    bench.note(f"exits {ends[0].code} and {ends[1].code}")
    once(world, people, missing=60)


@scenario
def two_machines_together(bench):
    """Started in the same second: at most a lead each is called twice, and both know."""
    world = bench.standin(talk=0.5)
    people = bench.leads(30)
    runs = [bench.start(world, "--reserve", 3, state=state) for state in ("here", "there")]
    ends = [run.end(60) for run in runs]
    bench.note(f"exits {ends[0].code} and {ends[1].code}, {sum(r - 1 for r in world.rings().values())} double")
    once(world, people, missing=30, doubled=1)
    need(6 in (ends[0].code, ends[1].code), f"{ends[0]}\n{ends[1]}")


@scenario
def orphans(bench):
    """A campaign that died is followed by another one of the same state directory, its slots counted."""
    world = bench.standin(talk=3.0, steady=True, slots=6)
    bench.leads(3, "dead.csv")
    people = bench.leads(6, "alive.csv", 10)
    dead = bench.start(world, "--reserve", 3, leads="dead.csv")
    wait_for(lambda: len(world.rings()) == 3, 10, "three calls")
    dead.send(KILL)
    dead.process.wait()
    world.talk = 0.3
    bench.run(world, "--reserve", 2, leads="alive.csv")
    tight, _ = world.tight(2)
    need(tight <= 1, f"{tight} dials into the reserve")
    need(all(world.rings()[number] == 1 for number in people), f"{world.rings()}")
    bench.run(world, "--reserve", 3, leads="dead.csv")
    need(all(rung == 1 for rung in world.rings().values()), f"{world.rings()}")


@scenario
def edited_list(bench):
    """Rows added are called, rows gone are not, the settled stay settled."""
    world = bench.standin(talk=0.2)
    people = bench.leads(10)
    bench.run(world, "--reserve", 3, "--limit", 4, code=4)
    rung = set(world.rings())
    rows = [number for number in people if number in rung] + [n for n in people if n not in rung][:4] + [phone(20)]
    (bench.folder / "leads.csv").write_text("number,name,city\n" + "".join(f"{n},New Name,X\n" for n in rows))
    ended = bench.run(world, "--reserve", 3)
    once(world, rows)
    need(ended.json["leads"]["removed"] == 2 and ended.json["leads"]["total"] == 9, f"{ended}")
    (bench.folder / "leads.csv").write_text("number,name\n" + "".join(f"{phone(n)},A\n" for n in range(50, 54)))
    bench.run(world, "--reserve", 3)
    (bench.folder / "leads.csv").write_text("number,name\n" + "".join(f"{phone(n)},A\n" for n in range(60, 70)))
    bench.run(world, "--reserve", 3, "--limit", 2, code=4)
    (bench.folder / "leads.csv").write_text("number,name\n" + "".join(f"{phone(n)},A\n" for n in range(60, 63)))
    bench.run(world, "--reserve", 3, code=2)
    bench.run(world, "--reserve", 3, "--replace")


@scenario
def finished(bench):
    """A finished list run again: exit 0, nobody called, and no connection needed."""
    world = bench.standin(talk=0.2)
    people = bench.leads(6)
    bench.run(world, "--reserve", 3)
    asked = len(world.requests)
    ended = bench.run(world, "--reserve", 3)
    need(len(world.requests) == asked and ended.seconds < 1, f"{len(world.requests) - asked} requests: {ended}")
    world.standin.close()
    bench.standins.clear()
    ended = bench.run(world.url, "--reserve", 3)
    need(ended.json["calls"]["placed"] == 0 and ended.json["leads"]["settled"] == 6, f"{ended}")
    once(world, people)


@scenario
def journal_agrees(bench):
    """The last word of the journal agrees with the provider's about every call's end."""
    world = bench.standin(talk=0.2, faults={"drop-after": 0.15}, seed=31)
    bench.leads(20)
    ended = bench.run(world, "--reserve", 3, "--wait", timeout=60)
    classes = {"customer-ended-call": "hung-up", "assistant-ended-call": "answered", "voicemail": "voicemail",
               "customer-did-not-answer": "no-answer"}
    wanted = {}
    for call in world.ours():
        name = classes.get(call["reason"], "other")
        wanted[name] = wanted.get(name, 0) + 1
    bench.note(f"{ended.json['dispositions']} for {wanted}")
