"""Wrong words of the provider: stamps that are off, listings without marks, ids that are not the call's, odd reasons."""

import random
import shutil
import time
from datetime import datetime, timedelta, timezone

from bench import INT, TERM, phone
from scenario import case, holds, keeps, note, once, put, rest, run, scenario, send, start, tell

FAR = 2.3e9  # from now, in seconds: somewhere in 2099
SLOW_LISTING = dict(talk=0.3, late_list=1.9)


def iso(at, end="Z"):
    return (datetime(1970, 1, 1) + timedelta(seconds=at)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + end


def now_and_then(share, seed=3):
    dice = random.Random(seed)
    return lambda: dice.random() < share


# ---- stamps


def stamped(share, least, most):
    """So many answers to requests carry a `createdAt` that is so far ahead."""
    dice, off = random.Random(7), now_and_then(share)
    return lambda call, row, where: (row | {"createdAt": iso(time.time() + dice.uniform(least, most))}
                                     if where == "answer" and off() else row)


for name, least, most in (("a_minute_ahead", 65, 90), ("seconds_ahead", 2, 20), ("in_2099", FAR, FAR),
                          ("a_minute_behind", -90, -65)):
    case(f"stamps_{name}", "One 201 in five has a wrong createdAt, the next answer is lost, and calls are listed late.",
         30, dict(SLOW_LISTING, shows=stamped(0.2, least, most), faults={"drop-after": 0.2}, seed=5),
         run("--wait --in-doubt 3s"))
    case(f"stamps_{name}_then_killed", "The same, and the run is killed: the next one finds what the first had called.",
         20, dict(SLOW_LISTING, shows=stamped(0.2, least, most), faults={"drop-after": 0.2}, seed=6),
         start("--in-doubt 3s", until=10), lambda s: s.running.kill(), run("--wait --in-doubt 3s"))


def first(off):
    """The first listing is answered by a clock that is off."""
    asked = []

    def node(method, path):
        asked.extend([path] if path.startswith("/call?") else [])
        return off if len(asked) == 1 and path.startswith("/call?") else 0.0
    return node


@scenario(24, talk=0.2, node=first(FAR))
def date_of_2099_then_a_backup(s):
    """A Date of 2099 on the first listing: a backup put back later still finds what was called since."""
    s.run("--limit 8", None, "ended.code in (1, 4)")
    if s.ended.code == 1:
        s.run("--limit 8", 4)
    shutil.copytree(s.folder / "state", s.folder / "backup")
    s.run("--limit 8", 4)
    shutil.rmtree(s.folder / "state")
    shutil.move(s.folder / "backup", s.folder / "state")
    # Within the second that a Date tells, a call may be one that another machine has just made: exit 6.
    time.sleep(1.1)
    s.run()


def one_in(times, off):
    count = [0]

    def node(method, path):
        count[0] += 1
        return off if count[0] % times == times - 1 else 0.0
    return node


for name, node in (("three_seconds_ahead", one_in(10, 3.0)), ("twenty_seconds_ahead", one_in(10, 20.0)),
                   ("once_in_2099", one_in(25, FAR))):
    @scenario(60, inbound=1.0, others=1.5, talk=0.4, seed=9, name=f"node_{name}", node=node)
    def beside_a_wrong_node(s):
        """Beside another organisation's calls, one node's clock is off: about as few dials into the reserve as without."""
        true = s.standin(inbound=1.0, others=1.5, talk=0.4, seed=9)
        runs = [s.start(), s.start(world=true, state="other")]
        for running in runs:
            s.ends(running=running)
        s.once(world=true)
        (wrong, dials), (right, _) = s.world.tight(3), true.tight(3)
        s.note(f"{wrong} of {dials} dials tight, {right} with true clocks")
        assert wrong <= 2 * right + 4, (wrong, right)


case("limit_learnt_in_2099", "Answers stamped 2099 tell a limit: a new one is learnt all the same, by this run and the next.",
     30, dict(talk=0.2, shows=stamped(1.0, FAR, FAR)), run("--limit 10", 4, "pool.limit == 10"), put(slots=6),
     run("--limit 10", 4, "pool.limit == 6"), put(shows=None, slots=8), run("", 0, "pool.limit == 8"))


# ---- marks, ids and numbers


def without(*gone, share=1.0, ours=True, seed=3):
    """Rows that are read, unlike answers to requests, lack these."""
    off = now_and_then(share, seed)

    def shows(call, row, where):
        if where == "answer" or not off() or (call["type"] == "outboundPhoneCall") != ours:
            return row
        row = {key: value for key, value in row.items() if key not in gone}
        if "variables" in gone:
            row.pop("assistantOverrides", None)
        if isinstance(row.get("customer"), dict):
            row["customer"] = {key: value for key, value in row["customer"].items() if key not in gone}
        return row
    return shows


ALL = "name", "externalId", "variables"
LOSSES = dict(talk=0.3, faults={"drop-after": 0.2}, seed=5)
for mark in ALL:
    case(f"marks_without_{mark}", "One of the three marks is missing from listings, and answers are lost.",
         25, dict(LOSSES, shows=without(mark)), run("--wait"))
case("marks_without_any", "None of the marks is listed, and answers are lost: calls are told by number and time.",
     25, dict(LOSSES, shows=without(*ALL)), run("--wait", None, "ended.code in (0, 4)", "rung == 25 or doubt > 0"),
     note("exit {ended.code}, {doubt} in doubt"), once(missing=25), run("--wait", None), once=dict(missing=25))
case("doubts_wait_for_marks",
     "None of the marks is listed, and requests are lost: nothing is proven absent; later marks are listed again.",
     25, dict(talk=0.3, seed=5, shows=without(*ALL), script=lambda n, body: "drop-before" if n in (9, 14) else None),
     run("--wait", 4, "it.reason == 'doubts'", "(settled, doubt) == (23, 2)", "len(posts) == 25",
         "'without its name' in ended.err"), once(missing=2), put(shows=None), run("--wait", 0, "len(posts) == 27"))
case("marks_now_and_then", "Half of the rows lack their marks.",
     25, dict(LOSSES, shows=without(*ALL, share=0.5)), run("--wait", None, "ended.code in (0, 4)"),
     note("exit {ended.code}, {doubt} in doubt"), once=dict(missing=25))
case("marks_without_any_listed_late", "No marks, and calls are listed late.",
     25, dict(LOSSES, late_list=1.2, shows=without(*ALL)), run("--wait", None, "ended.code in (0, 4)"),
     note("exit {ended.code}, {doubt} in doubt"), once(missing=25), run("--wait", None), once=dict(missing=25))
case("marks_without_any_then_killed", "No marks, and the run is killed in the middle.",
     25, dict(LOSSES, shows=without(*ALL)), start(until=12), lambda s: s.running.kill(),
     run("--wait", None, "ended.code in (0, 4)"), note("exit {ended.code}, {doubt} in doubt"), once=dict(missing=25))


def renumbered(call, row, where):
    """A listing that shows no marks, and numbers in another form."""
    return row if where == "answer" else without(*ALL)(call, row, where) | {"customer": {"number": "+13125550100"}}


UNMARKED = dict(talk=0.3, script=lambda n, body: "drop-after", shows=renumbered)
case("marks_missing_from_the_first_listing",
     "The answer is lost, and the listing shows no marks: nobody is proven absent, and a run that can only wait puts him aside.",
     1, UNMARKED, run("--wait", 4, "it.reason == 'doubts'", "'a name of ours yet' in ended.err"),
     run("--wait", 3, "doubt == 1", "len(posts) == 1"))
case("marks_missing_from_the_first_listing_for_a_time", "The same, and marks are listed again: he is found.",
     1, UNMARKED, run("--wait", 4), put(shows=None), run("--wait", 0, "len(posts) == 1"))
case("rows_without_numbers", "Nobody's number is listed, the marks are.",
     25, dict(LOSSES, shows=without("number")), run("--wait"))
case("rows_without_customers", "Nor is the customer.", 25, dict(LOSSES, shows=without("customer")), run("--wait"))
case("rows_of_others_without_ids", "Callers are listed without ids: they are as hidden as another organisation's.",
     40, dict(LOSSES, inbound=1.5, shows=without("id", ours=False)), run("--wait --margin 1"), keeps(3, 0.1))
case("rows_of_others_without_ids_before", "The same, and the search before dialing shows them: they are named, and end nothing.",
     12, dict(LOSSES, inbound=4.0, shows=without("id", ours=False)), rest(1.0),
     run("--wait", 0, "'type inboundPhoneCall' in ended.err"))
case("rows_without_creation", "No row has a time of creation: exit 1 after a time, and what to do, also with --wait.",
     3, dict(talk=0.3, shows=lambda call, row, where: {key: value for key, value in row.items()
                                                       if where == "answer" or key != "createdAt"}),
     run("--wait", 1, "'field createdAt' in ended.err", "'look at it in the dashboard' in ended.err",
         "ended.seconds < 60", timeout=90), once=dict(missing=3))
@scenario(30, talk=0.2, faults={"drop-after": 0.25}, order="oldest", seed=6, slots=200, inbound=150.0, inbound_talk=0.05)
def capped_pages(s):
    """A page has 100 rows at the most, whatever is asked for, and many call in: no page of 100 proves anything."""
    whole = s.world.list

    def capped(query):
        status, rows = whole(query)
        return status, rows[:100] if status == 200 else rows
    s.world.list = capped
    time.sleep(1.0)
    s.run("--wait --slots 200", None, timeout=40)


case("rows_without_ids_at_times", "Half of the rows of our own calls lack their ids.",
     25, dict(LOSSES, shows=without("id", share=0.5)), run("--wait"))


def floating(call, row, where):
    """Listed times without their offset."""
    return row if where == "answer" else row | {key: value[:-1] for key, value in row.items() if key.endswith("At")}


case("times_without_offset", "Listings say no offset with their times.",
     25, dict(LOSSES, shows=floating), run("--wait", 0, "ended.err.count('taken for UTC') == 1"))
BAD_IDS = [None, "", 7, ["x"], {"a": 1}, "../../assistant/x", "x" * 5000, "\x1b[31mred", "a b\r\nX-Evil: 1", "\u202e", True]


def bad_ids(where_shown, every):
    count = [0]

    def shows(call, row, where):
        count[0] += where in where_shown
        wrong = where in where_shown and count[0] % every == 0
        return row | {"id": BAD_IDS[count[0] // every % len(BAD_IDS)]} if wrong else row
    return shows


case("bad_ids_in_listings", "A row in ten has an id that is none.",
     30, dict(LOSSES, inbound=1.0, shows=bad_ids(("list",), 10)), run("--wait"))
case("bad_ids_in_answers", "A 201 in three has an id that is none: its call is found in the listing.",
     36, dict(talk=0.3, shows=bad_ids(("answer",), 3)), run("--wait"))


for name, which in (("another_call", lambda calls: calls[0]),
                    ("a_call_that_is_over", lambda calls: next((call for call in calls if call["end"] < time.time()), None))):
    @scenario(12, talk=0.4, name=f"id_of_{name}")
    def id_of_another_call(s, which=which):
        """A 201 with the id of a call of ours that is up, or over: in doubt, found, and no double call is told."""
        def shows(call, row, where):
            other = which(s.world.calls) if where == "answer" and len(s.world.posts) in (4, 9) else None
            return row | {"id": other["id"]} if other else row
        s.world.shows = shows
        s.run("--wait --rate 5/s", 0, "settled == 12", "'unknown' not in it.dispositions", "'twice' not in ended.err",
              timeout=30)


@scenario(8, talk=0.3)
def unknown_for_ever(s):
    """A call that was answered for is never listed, and 404 by its id: the run stays with it, nobody is called twice."""
    s.world.becomes = lambda n, call: n == 3 and {"listed": 1e12}
    s.start("--wait")
    time.sleep(6)
    assert s.running.up() and len(s.world.rings()) == 8, s.running.err()
    send(INT, INT)(s)
    s.ends(130, within=8)
    s.start()
    time.sleep(4)
    send(TERM)(s)
    s.ends(143, within=8)


def never_listed(n, call):
    return n == 3 and {"listed": 1e12}


case("unknown_to_the_end", "The same for two minutes: its lead is put aside and told, its slot is free, a release gives it back.",
     8, dict(talk=0.3, slots=5, becomes=never_listed),
     run("--wait", 3, "doubt == 1", "settled == 7", "len(posts) == 8", "90 < ended.seconds < 160",
         "'does not know it' in ended.err", timeout=180),
     note("{ended.seconds:.0f} s"), run("", 3, "len(posts) == 8", "ended.seconds < 5"),
     tell(["release", "leads", "--yes"]), put(becomes=None), run("", 0, "len(posts) == 9", "settled == 8"),
     once=dict(doubled=1), slow=True)


# ---- what calls say of themselves


@scenario(6, talk=0.2, reasons={"\x1b[31mred\x1b]0;title\x07\u202e\x9b1m": 1})
def reasons_with_escapes(s):
    """An endedReason with terminal sequences: they reach no screen and no file that is shown."""
    s.run("", None)
    shown = [s.ended, *[s.tell(line, None) for line in (
        f"explain {phone(1)}", "status", "report leads", "report leads --format csv", "report leads --format html",
        "report leads --attempts --format csv")]]
    for ended in shown:
        bad = set(ended.out + ended.err) & set("\x1b\x07\x9b\u202e")
        assert not bad, f"{bad!r} in {ended}"
    assert "red" in shown[1].out, shown[1]


@scenario(8, talk=0.2, reasons={"customer-ended-call": 1}, once=None)
def opt_outs(s):
    """Whoever said "never again" in a call is suppressed, in every campaign of the state directory."""
    asked = {phone(2), phone(5)}
    s.world.shows = lambda call, row, where: row | {"analysis": {"structuredData": {
        "stop": call["body"]["customer"]["number"] in asked}}} if row["status"] == "ended" else row
    s.run("--opt-out-field stop")
    s.leads(8, "second.csv")
    s.run("--campaign second --opt-out-field stop", 0, "it.leads.suppressed == 2", leads="second.csv")
    assert all(rung == (1 if number in asked else 2) for number, rung in s.world.rings().items()), s.world.rings()
    listed = s.tell("suppress --list").out
    assert all(number in listed.replace(" ", "") for number in asked), listed


# ---- the reserve


@scenario(12, talk=0.3)
def reserve_falls_while_waiting(s):
    """A timetable that keeps the whole pool now and less in some seconds, with --wait: dialing begins then, not before."""
    wanted = datetime(2000, 1, 1, 9, 59, 56)
    utc = datetime.now(timezone.utc)
    off = (wanted - utc.replace(tzinfo=None, year=2000, month=1, day=1)).total_seconds()
    sign, off = ("-", off) if off >= 0 else ("+", -off)
    zone = f"XXX{sign}{int(off // 3600)}:{int(off // 60 % 60):02}:{int(off % 60):02}"
    began = time.time()
    s.start("--reserve 00:00=10,10:00=2 --wait", env={"TZ": zone})
    time.sleep(2)
    assert not s.world.posts, "dialed before its time"
    s.ends(within=40)
    s.note(f"the first dial after {s.world.posts[0]['at'] - began:.1f} s")
    s.keeps(2)
