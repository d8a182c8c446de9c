"""Ends and waits: signals, pauses, limits, costs, hours, retries, opt-outs."""

import os
import pty
import subprocess
import threading
import time
from datetime import datetime, timedelta, timezone

from bench import HUP, INT, TERM, wait_for
from scenario import case, ends, holds, mark, note, put, rest, run, scenario, send, start, tell

GOING = start(until=8)  # in the middle of its calls
SILENT = {"customer-did-not-answer": 1}

case("interrupted_once", "The first Ctrl-C: nobody more is dialed, calls that are up are followed, exit 4.",
     25, dict(talk=0.8), GOING, send(INT), rest(0.15), mark(before="len(posts)"),
     ends(4, "len(posts) == before", "up == 0", "settled == rung"), run())

for name, signals, code, what in [
    ("interrupted_twice", (INT, INT), 130, "The second Ctrl-C: out with 130; the next run picks the calls up."),
    ("terminated", (TERM,), 143, "SIGTERM: out with 143; the next run picks the calls up."),
    ("hung_up", (HUP,), 129, "SIGHUP: out with 129; the next run picks the calls up."),
]:
    case(name, what, 25, dict(talk=3), GOING, send(*signals), ends(code, within=6), put(talk=0.3),
         run("", 0, "settled == 25", "world.tight(3)[0] <= 1"))

case("terminated_while_answers_are_out", "SIGTERM waits up to five seconds for answers that are out, so that few stay in doubt.",
     6, dict(faults={"slow": 1.0}, talk=0.5, slow_for=1.0), start(until=1), send(TERM), ends(143, within=10),
     put(faults={}), run("", 0, "ended.seconds < 5"))
case("interrupted_before_anything", "Ctrl-C while the pre-flight hangs: out soon, nobody called, nothing lost.",
     4, dict(odd=lambda handler, method, path: time.sleep(3) if path.startswith("/assistant") else None),
     start(), rest(0.5), send(INT), lambda s: setattr(s, "ended", s.running.end(10)),
     holds("ended.code in (4, 130)", "not posts"), put(odd=None), run())


@scenario(20, talk=0.3)
def closed_streams(s):
    """Losing stdout or stderr ends no run."""
    pipes = [os.pipe(), os.pipe()]
    running = s.start(stdout=pipes[0][1], stderr=pipes[1][1])
    for _, write in pipes:
        os.close(write)
    wait_for(lambda: s.world.posts, 10, "a request")
    for read, _ in pipes:
        os.close(read)
    assert running.process.wait(30) in (0, 1), f"exit {running.process.returncode}"
    s.note(f"exit {running.process.returncode}")
    s.run()


@scenario(8, talk=0.2)
def no_streams(s):
    """Started without stdin, stdout or stderr at all."""
    env = {"DIALER_STATE": str(s.folder / "state"), "VAPI_API_KEY": s.world.key, "VAPI_ASSISTANT_ID": "a",
           "VAPI_PHONE_NUMBER_ID": "line-1,line-2", "VAPI_BASE_URL": s.world.url}
    script = f"exec '{s.binary}' run leads.csv --hours any --poll 100ms --rate 500/s <&- >&- 2>&-"
    assert subprocess.run(["sh", "-c", script], cwd=s.folder, env=env, timeout=30).returncode == 0
    assert {post["line"] for post in s.world.posts} == {"line-1", "line-2"}, "one line only"


@scenario(25, talk=0.5)
def paused_and_resumed(s):
    """A pause holds within a poll, is kept, ends a new run with 4; a resume lets it go on."""
    world = s.world
    GOING(s)
    s.tell("pause leads")
    time.sleep(0.35)
    posts = len(world.posts)
    time.sleep(1.5)
    assert len(world.posts) == posts, f"{len(world.posts) - posts} dials while paused"
    if s.running.up():
        s.tell("resume leads")
        s.ends(within=30)
    s.note("the run stayed" if s.running.process.returncode == 0 else f"exit {s.running.process.returncode}")
    s.tell("pause leads")
    s.people = s.leads(30)
    before = len(world.posts)
    s.run("", 4, f"len(posts) == {before}")
    waiting = s.start("--wait")
    time.sleep(1)
    assert waiting.up() and len(world.posts) == before, "a run with --wait did not wait"
    s.tell("resume leads")
    s.ends(within=30)


case("stopped", "A stop from another shell acts as the first Ctrl-C.",
     25, dict(talk=0.6), GOING, tell("stop leads"), rest(0.35), mark(before="len(posts)"),
     ends(4, "len(posts) == before", "up == 0"), run())
case("limited", "--limit counts attempts of this run, refused ones apart.", 20, dict(talk=0.3, full=0.3, seed=2),
     run("--limit 7", 4, "rung == 7"), run("--limit 7", 4, "rung == 14"), run("--limit 7"))
case("limited_by_cost", "--max-cost holds over all runs of the campaign.", 40, dict(talk=0.3),
     run("--max-cost 0.30", 4, "rung <= 11"), mark(first="rung"), run("--max-cost 0.30", 4, "rung <= max(first, 11)"),
     note("{first} called, then {rung - first}"), once=None)


@scenario(5, once=None)
def until_past(s):
    past = (datetime.now(timezone.utc) - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    s.run(f"--until {past}", 4, "not posts")
    s.run(f"--until {datetime.now() - timedelta(minutes=2):%H:%M}", 4, "not posts")


@scenario(60, talk=0.5)
def until_soon(s):
    """No dial after --until; calls that are up are followed."""
    stop = datetime.now(timezone.utc) + timedelta(seconds=2)
    s.run(f"--until {stop:%Y-%m-%dT%H:%M:%S.%fZ}", 4, "posts", "up == 0",
          f"not [post for post in posts if post['at'] > {stop.timestamp()} + 0.05]")
    s.run()


@scenario(5, once=None)
def closed_hours(s):
    """Nobody is called outside their hours: exit 4, and when to come back."""
    now = datetime.now(timezone.utc) - timedelta(hours=8)  # no later than any zone of these numbers
    s.run(f"--hours {now + timedelta(hours=5):%H:00}-{now + timedelta(hours=7):%H:00}", 4, "not posts", "it.next_at",
          "not [path for _, _, path in requests if path.startswith('/call')]")


@scenario(20, once=None, talk=0.1, reasons=SILENT)
def retried(s):
    """At most --attempts rings each, and no fewer where nobody answers."""
    s.run("--attempts 3 --retry no-answer=1s --per-day 10 --wait", 0, "it.dispositions == {'no-answer': 20}",
          "all(rings.get(number) == 3 for number in people)")
    for number in s.people:
        calls = s.world.calls_of(number)
        gaps = [b["began"] - a["end"] for a, b in zip(calls, calls[1:])]
        assert min(gaps) >= 0.85, f"called again after {min(gaps):.2f} s"


@scenario(40, once=None, talk=0.2, seed=12, faults={"drop-after": 0.05, "drop-before": 0.05}, full=0.1, reasons={
    "customer-did-not-answer": 4, "customer-busy": 3, "voicemail": 3, "customer-ended-call": 3, "assistant-ended-call": 2,
    "call.in-progress.error-providerfault-openai-llm-failed": 2, "call.start.error-get-transport": 1})
def retried_in_many_ways(s):
    """A mix of ends, with faults: nobody oftener than allowed, nobody again who talked."""
    s.run("--attempts 3 --retry no-answer=500ms --retry busy=300ms --retry voicemail=never --retry fault=500ms "
          "--per-day 10 --wait", None, "ended.code in (0, 5)", timeout=90)
    s.note(f"exit {s.ended.code}, {s.ended.json.dispositions}")
    talked = {"customer-ended-call", "assistant-ended-call", "voicemail",
              "call.in-progress.error-providerfault-openai-llm-failed"}
    for number in s.people:
        calls = s.world.calls_of(number)
        assert len(calls) <= 3, f"{number} called {len(calls)} times"
        early = [call["reason"] for call in calls[:-1] if call["reason"] in talked]
        assert not early, f"{number} called again after {early}"


DAILY = run("--attempts 5 --retry no-answer=300ms", None), rest(0.5)
case("retried_by_the_day", "--per-day stops the third ring of a day.", 6, dict(talk=0.1, reasons=SILENT),
     *DAILY * 4, holds("all(rings.get(number) == 2 for number in people)", "ended.code == 4", "it.next_at"), once=None)


@scenario(20, once=None, talk=0.1, reasons={"customer-did-not-answer": 1, "customer-ended-call": 1})
def attempts_raised(s):
    """With --attempts raised later, settled leads are reopened; those who talked are not."""
    s.run()
    silent = {call["body"]["customer"]["number"] for call in s.world.ours() if call["reason"] == "customer-did-not-answer"}
    time.sleep(0.3)
    s.run("--attempts 2 --retry no-answer=100ms --per-day 9 --wait", 0, "set(rings) == set(people)")
    assert {number for number, rung in s.world.rings().items() if rung == 2} == silent, f"{s.world.rings()} {silent}"


@scenario(30, talk=0.8, once=dict(missing=1))
def suppressed(s):
    """A number suppressed while the run goes on is not called."""
    GOING(s)
    s.tell(["suppress", s.people[-1], "--reason", "asked"])
    s.ends(0, "people[-1] not in rings", "it.leads.suppressed == 1", "it.dispositions.suppressed == 1", within=30)


@scenario(25, talk=0.8, once=dict(missing=2))
def do_not_call_grows(s):
    """A number added to the --dnc file stops at once."""
    s.write(f"number\n{s.people[3]}\n", "dnc.csv")
    s.start("--dnc dnc.csv", until=6)
    s.write(f"{s.people[-1]}\n", "dnc.csv", "a")
    s.ends(0, "not {people[3], people[-1]} & set(rings)", "it.leads.suppressed == 2", within=30)


ANSWERS = {"int": (INT, 4, "interrupted"), "term": (TERM, 143, "interrupted"), "hup": (HUP, 129, ""),
           "no": (b"n\n", 4, "not agreed"), "end": (b"\x04", 4, "not agreed"), "yes": (b"y\n", 0, "every lead is settled")}
for name, (answer, code, words) in ANSWERS.items():
    @scenario(5, once=None, talk=0.2, name=f"asked_and_{name}")
    def asked(s, answer=answer, code=code, words=words):
        """At a terminal a person is asked before the first call: an answer or a signal is heard at once."""
        leader, follower = pty.openpty()
        running = s.command(["run", "leads.csv", "--base-url", s.world.url, "--assistant-id", "a", "--phone-number-id", "l",
                             "--hours", "any", "--poll", "100ms", "--rate", "500/s"], env={"TERM": "xterm"},
                            stdin=follower, stdout=follower, stderr=follower)
        os.close(follower)
        shown = b""
        while b"[y/N]" not in shown:
            shown += os.read(leader, 65536)
        began = time.time()
        if isinstance(answer, bytes):
            os.write(leader, answer)
        else:
            running.send(answer)
        reader = threading.Thread(target=lambda: s.marks.update(shown=read_all(leader)))
        reader.start()
        assert running.process.wait(20) == code, running.process.returncode
        assert code == 0 or time.time() - began < 3, f"after {time.time() - began:.1f} s"
        reader.join()
        os.close(leader)
        assert words in s.marks["shown"] and len(s.world.posts) == (5 if code == 0 else 0), s.marks["shown"][-500:]


def read_all(leader):
    """What a terminal was shown until nobody writes to it any more."""
    shown = b""
    try:
        while part := os.read(leader, 65536):
            shown += part
    except OSError:
        pass
    return shown.decode(errors="replace")


@scenario(25, talk=0.8, once=dict(missing=2))
def do_not_call_by_a_pipe(s):
    """A --dnc that is a pipe is waited for, deaf to no signal, and read once, whatever happens to other files."""
    os.mkfifo(s.folder / "pipe")
    s.write(f"{s.people[3]}\n", "dnc.csv")
    running = s.start("--dnc pipe --dnc dnc.csv")
    time.sleep(1)
    running.send(TERM)
    s.ends(143, "not posts", within=5)
    s.start("--dnc pipe --dnc dnc.csv")
    s.write(f"{s.people[-1]}\n", "pipe")
    wait_for(lambda: len(s.world.posts) >= 4, 10, "request 4")
    s.write(f"{s.people[3]}\n\n", "dnc.csv")
    s.ends(0, "not {people[3], people[-1]} & set(rings)", "it.leads.suppressed == 2", within=30)


case("dry_run", "A dry run opens no connection and writes nothing.", 60, {},
     lambda s: s.start("--dry-run").end(), holds("not requests", "not (s.folder / 'state').exists()",
                                                  "s.running.process.returncode == 0"), once=None)


@scenario(5, talk=0.3)
def daily_reserve(s):
    """A reserve by the hour, whose value now leaves no slot: nobody is called, exit 4."""
    s.run("--reserve 00:00=10", None, "not posts")
    hour = datetime.now()
    s.run(f"--reserve 00:00=2,{hour + timedelta(hours=2):%H:%M}=10" if hour.hour < 21 else "--reserve 00:00=2")
