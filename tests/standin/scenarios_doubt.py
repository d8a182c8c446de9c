"""What may have called: lost answers, kills, lost journals. Nobody twice, nobody lost."""

import random
import shutil
import time

from bench import INT, Wrong, phone, wait_for
from scenario import case, ends, holds, kill, lose, mark, note, once, put, run, scenario, send, start, tell

STORM = {"drop-after": 0.08, "drop-before": 0.05, "reset-after": 0.04, "html-after": 0.04, "html-before": 0.04,
         "empty-after": 0.02, "409-after": 0.02, "408-before": 0.02, "200-after": 0.03, "cut": 0.03, "slow": 0.03}
SOME = {"drop-after": 0.2, "drop-before": 0.15}
HITS = "sum(post['fate'] == '{}' and post.get('free', 0) > 0 for post in posts)"

for name in ("drop-after", "reset-after", "cut", "slow", "html-after", "500-after", "empty-after", "408-after", "409-after",
             "200-after", "201-empty", "201-array", "201-null", "drop-before", "html-before", "500-before",
             "empty-before", "408-before", "409-before", "200-before"):
    # A listing may show a call before its own answer breaks: that one was never in doubt.
    least = "1" if name.endswith("-before") else "0" if name in ("cut", "slow") else "hit // 2"
    case(f"doubt_{name}", "A quarter of the requests in doubt, each for the same reason.",
         24, dict(faults={name: 0.25}, talk=0.3, seed=21), run("--wait"), mark(hit=HITS.format(name)),
         holds("hit > 0", f"calls.in_doubt_resolved >= {least}"), note("{hit} doubts"))

for name, settings in {
    "ahead": {"skew": 45.0},
    "behind": {"skew": -45.0},
    "without_date": {"date": False},
    "without_date_behind": {"date": False, "skew": -40.0},
    "whole_seconds": {"whole_seconds": True, "order": "any"},
    "date_off": {"date_offset": 20.0},
}.items():
    case(f"doubts_{name}", "Doubts beside a clock that is not ours.", 25, dict(faults=SOME, talk=0.3, seed=41) | settings,
         run("--wait", timeout=30))


def until_done(s, flags="", tries=12, apart=0.5, **more):
    for _ in range(tries):
        s.run(flags, None, "ended.code in (0, 4)", timeout=120, **more)
        if s.ended.code == 0:
            return
        time.sleep(apart)
    raise Wrong(f"never done: {s.ended}")


case("storm", "Every fault together, with inbound callers, out of order, run again until it is done.",
     60, dict(faults=STORM, inbound=1.0, talk=0.3, order="any", seed=8), until_done, holds("settled == 60"))
case("storm_waits", "The same in one run, with --wait.",
     60, dict(faults=STORM, inbound=1.0, talk=0.3, limits=0.7, seed=9), run("--wait", timeout=90))
case("listed_later_than_the_answer_is_lost",
     "A call that is listed a second late, its answer lost: less than --in-doubt, so it is waited for.",
     15, dict(faults={"drop-after": 0.3}, late_list=1.2, talk=0.3, seed=4), run("--wait"))
case("created_late", "Created a second after its request was dropped: less than --in-doubt.",
     15, dict(faults={"late-create": 0.3}, talk=0.3, seed=4), run("--wait"))
case("created_too_late", "Shown long after --in-doubt: not promised, but it is followed and told, and the run ends.",
     12, dict(talk=0.3, script=lambda n, body: "drop-after" if n == 3 else None,
              becomes=lambda n, call: n == 3 and {"listed": call["began"] + 3.2, "end": call["began"] + 9}),
     run("--in-doubt 600ms --wait --post-timeout 500ms"), once(doubled=1), run("--in-doubt 600ms", None),
     note("{sum(rung - 1 for rung in rings.values())} double, then exit {ended.code}"), once=dict(doubled=1))
case("never_in_doubt", "--in-doubt never: parked, exit 3; released, they are called.",
     24, dict(faults={"drop-before": 0.25}, talk=0.3, seed=2),
     run("--in-doubt never --wait", 3, "doubt == 24 - rung > 0"), mark(parked="doubt"),
     run("--in-doubt never", 3, "doubt == parked"),
     put(faults={}), tell("release leads --yes"), run("--in-doubt never"))
case("never_in_doubt_but_created", "--in-doubt never, and the calls are there after all: found, nobody parked.",
     20, dict(faults={"drop-after": 0.3}, talk=0.3, seed=2), run("--in-doubt never --wait"))


@scenario(6, script=lambda n, body: "drop-before" if n in (2, 3) else None, talk=0.2, once=dict(missing=1))
def release_of_one(s):
    s.run("--in-doubt never --wait", 3)
    lost = [number for number in s.people if number not in s.world.rings()]
    assert len(lost) == 2, lost
    assert s.tell("release leads", None).code != 0, "released without being asked"
    s.tell(f"release leads {lost[0]} --yes")
    s.run("--in-doubt never", 3)
    assert set(s.world.rings()) == set(s.people) - {lost[1]}, s.world.rings()


case("always_broken", "A request that always breaks holds up nobody, and does not go round for ever.",
     60, dict(talk=0.3, script=lambda n, body: "drop-before" if body["customer"]["number"] == phone(3) else None),
     run("--in-doubt 200ms --wait", None, "ended.code in (3, 5)"),
     mark(tries="sum(post['number'] == phone(3) for post in posts)"), holds("tries <= 20"),
     note("exit {ended.code}, {tries} tries"), once=dict(missing=1))


@scenario(150, faults=STORM, inbound=1.0, talk=0.4, slots=8, order="any", seed=13)
def kills(s):
    """kill -9 at fifteen random moments, faults on; then it is finished."""
    dice = random.Random(5)
    for _ in range(15):
        s.start()
        time.sleep(dice.uniform(0.05, 1.3))
        s.running.kill()
    until_done(s, "--wait", 20, 0)
    s.holds("settled == 150", "world.tight(3)[0] <= 0.1 * world.tight(3)[1]")
    s.note(f"{len(s.world.posts)} requests, {s.world.tight(3)} tight")


@scenario(faults=STORM, inbound=0.7, talk=0.4, order="newest", seed=17)
def kills_of_two_campaigns(s):
    """Two campaigns of one state directory, either killed at random moments, faults on."""
    s.people = s.leads(40, "one.csv") + s.leads(40, "two.csv", 40)
    dice = random.Random(23)
    runs = {name: s.start(leads=name) for name in ("one.csv", "two.csv")}
    for _ in range(12):
        time.sleep(dice.uniform(0.1, 0.7))
        name = dice.choice(list(runs))
        runs[name].kill()
        runs[name] = s.start(leads=name)
    for running in runs.values():
        s.ends(None, "ended.code in (0, 4)", running=running)
    for name in runs:
        until_done(s, "--wait", 10, 0, leads=name)
    s.holds("world.tight(3)[0] <= 0.1 * world.tight(3)[1]")
    s.note(f"{len(s.world.posts)} requests, {s.world.tight(3)} tight")


@scenario(40, faults={"drop-after": 0.1, "500-after": 0.05}, talk=0.5, seed=19)
def kills_and_a_lost_journal(s):
    """Killed, the journal lost, adopted, killed while that went on, adopted again."""
    dice = random.Random(3)
    for n in range(4):
        s.start("--adopt")
        time.sleep(dice.uniform(1.0, 3.5))
        s.running.kill()
        if n % 2 == 0:
            shutil.rmtree(s.folder / "state", ignore_errors=True)
    s.run("--adopt --wait", 0, "settled == 40", timeout=90)


case("interrupted_with_doubts", "Ctrl-C while answers are lost: followed, exit 4; then finished.",
     25, dict(faults={"drop-after": 0.3, "drop-before": 0.2}, talk=0.6, seed=5),
     start(until=8), send(INT), ends(4, within=20), run("--wait"))


@scenario(25, faults={"slow": 0.4}, talk=0.3, seed=3)
def kills_in_the_middle_of_a_request(s):
    """Killed while the answer of a request is awaited, again and again."""
    for _ in range(6):
        before = len(s.world.posts)
        s.start()
        try:
            wait_for(lambda: len(s.world.posts) > before + 1, 6)
        except Wrong:
            pass
        s.running.kill()
    s.world.faults = {}
    s.run("--wait")


# ---- a journal that is lost, or old


case("lost_state", "A lost journal: exit 6 and nobody called; --adopt goes on.",
     30, dict(talk=0.3), run("--limit 18", 4), lose("state"), mark(before="len(posts)"),
     run("", 6, "len(posts) == before", "'--adopt' in ended.err", "'18' in ended.err"), run("", 6),
     run("--adopt", 0, "settled == 30"), once(), run())
case("lost_state_midway", "Lost while calls are up and an answer was not heard.",
     14, dict(talk=2.0, slots=8, script=lambda n, body: "slow" if n == 4 else None),
     start(until=5), kill(), lose("state"), run("", 6), run("--adopt"), holds("world.tight(3)[0] <= 1"))
case("adopted_although_late", "The journal lost, and the last calls listed only a second later: the second search finds them.",
     25, dict(talk=0.5, late_list=1.0),
     start(until=10), kill(), lose("state"), run("--adopt", None), run("--adopt", None))


@scenario(30, talk=0.3)
def restored_backup(s):
    """A backup of the journal put back after more was called."""
    s.run("--limit 8", 4)
    shutil.copytree(s.folder / "state", s.folder / "backup")
    s.run("--limit 8", 4)
    shutil.rmtree(s.folder / "state")
    shutil.copytree(s.folder / "backup", s.folder / "state")
    s.run()


def aged(hours):
    """Everything so far happened that much earlier."""
    def older(s):
        for call in s.world.calls:
            for stamp in ("began", "ring", "answer", "end", "listed", "counted"):
                call[stamp] -= hours * 3600
    return older


case("look_back", "Calls older than --look-back are not seen; within it they are.",
     12, dict(talk=0.2), run("--limit 5", 4), aged(72), lose("state"), run("", 6),
     run("--look-back 4d", 6, state="second"), run("--adopt", state="fourth"))
case("look_back_none", "--look-back 0 searches nothing, and still nobody that the watch shows is called twice in the same hour.",
     6, dict(talk=0.2), run(), aged(1), run("--look-back 0s", None, state="other"),
     note("an hour old: exit {ended.code}, {max(rings.values())} rings each"), aged(24), mark(was="dict(rings)"),
     run("--look-back 0s", 0, "all(rings[number] == was[number] + 1 for number in people)", state="third"), once=None)


@scenario(30, talk=0.2, order="any")
def adopt_pages(s):
    """A lost journal among thousands of other calls, in any order, some hundred in one second."""
    s.run("--limit 20", 4)
    now = time.time()
    for n in range(1500):
        s.world.bear("inboundPhoneCall", {"customer": {"number": "+13105550100"}},
                     now - 20 - (n % 400) * 0.0025 - n // 400, lasts=0.5)
    s.run("", 6, state="other")
    s.run("--adopt", state="other")


case("short_look_before_a_lost_state",
     "With the journal lost, a short look-back of another campaign hides nobody's calls from the next: exit 6.",
     8, dict(talk=0.1, steady=True), run(), aged(14), lambda s: s.leads(1, "second.csv", 100),
     run("--look-back 1h", leads="second.csv", state="new"),
     run("", 6, "all(rings[number] == 1 for number in people)", state="new"), once=None)


@scenario(8, talk=0.1, steady=True, once=None)
def short_look_over_a_gap(s):
    """A run with a short look-back jumps over hours in which another machine rang: the next one looks into them."""
    s.leads(1, "before.csv", 100)
    s.leads(2, "after.csv", 200)
    s.run(leads="before.csv")
    s.run(state="elsewhere")
    aged(14)(s)
    s.query("update accounts set watermark = watermark - 54000000000")
    s.run("--look-back 1h", leads="after.csv")
    s.run("", 6, "all(rings[number] == 1 for number in people)")


# ---- the list


case("not_if_called_within", "", 8, dict(talk=0.2), run(), lambda s: s.leads(10, "two.csv"),
     run("--not-if-called-within 1h", 4, "open == 8 and it.next_at", leads="two.csv"),
     once([phone(n) for n in range(10)]), once=None)


@scenario(10, talk=0.2, once=None)
def edited_list(s):
    """Rows added are called, rows gone are not, the settled stay settled."""
    def named(numbers):
        s.write("number,name\n" + "".join(f"{number},New Name\n" for number in numbers))

    s.run("--limit 4", 4)
    rung = set(s.world.rings())
    rows = [*rung, *[number for number in s.people if number not in rung][:4], phone(20)]
    named(rows)
    s.run("", 0, "it.leads.removed == 2", "it.leads.total == 9")
    s.once(rows)
    named(phone(n) for n in range(50, 54))
    s.run()
    named(phone(n) for n in range(60, 70))
    s.run("--limit 2", 4)
    named(phone(n) for n in range(60, 63))
    s.run("", 2)
    s.run("--replace")


case("finished", "A finished list run again: exit 0, nobody called, and no connection needed.",
     6, dict(talk=0.2), run(), mark(asked="len(requests)"),
     run("", 0, "len(requests) == asked", "ended.seconds < 1"), lambda s: s.standins.pop().close(),
     run("", 0, "calls.placed == 0", "settled == 6"))


@scenario(3, talk=0.1)
def one_name_in_two_forms(s):
    """A campaign's name with an accent is one name, whether its letter comes as one character or as two."""
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    s.run(f"--campaign {composed}", 0, "len(posts) == 3")
    s.run(f"--campaign {decomposed}", 0, "calls.placed == 0", "len(posts) == 3")
    s.people = s.leads(4)
    s.tell(["pause", decomposed])
    s.run(f"--campaign {composed}", 4, "it.reason == 'paused'", "len(posts) == 3")
    s.tell(["resume", composed])
    s.run(f"--campaign {decomposed}", 0, "len(posts) == 4")


@scenario(20, talk=0.2, faults={"drop-after": 0.15}, seed=31)
def journal_agrees(s):
    """The last word of the journal agrees with the provider's about every call's end."""
    s.run("--wait")
    classes = {"customer-ended-call": "hung-up", "assistant-ended-call": "answered", "voicemail": "voicemail",
               "customer-did-not-answer": "no-answer", "silence-timed-out": "answered"}
    wanted = {}
    for call in s.world.ours():
        name = classes[call["reason"]]
        wanted[name] = wanted.get(name, 0) + 1
    assert s.ended.json.dispositions == wanted, (s.ended.json.dispositions, wanted)
