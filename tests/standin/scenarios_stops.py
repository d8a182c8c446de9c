"""Ends and orders: signals, pauses, limits, costs, hours, retries."""

import os
import subprocess
import time
from datetime import datetime, timedelta, timezone

from bench import HUP, INT, TERM, need, once, phone, wait_for

SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


def going(bench, count=25, talk=0.8, **settings):
    """A run in the middle of its calls."""
    world = bench.standin(talk=talk, **settings)
    people = bench.leads(count)
    running = bench.start(world, "--reserve", 3)
    wait_for(lambda: len(world.posts) >= 8, 10, "the eighth request")
    return world, people, running


@scenario
def interrupted_once(bench):
    """The first Ctrl-C: nobody more is dialed, calls that are up are followed, exit 4."""
    world, people, running = going(bench)
    running.send(INT)
    time.sleep(0.15)
    posts = len(world.posts)
    ended = running.end(30)
    bench.adds_up(ended)
    need(ended.code == 4 and len(world.posts) == posts and world.up() == 0, f"{len(world.posts) - posts} more: {ended}")
    need(ended.json["leads"]["settled"] == len(world.rings()), f"{ended}")
    bench.run(world, "--reserve", 3)
    once(world, people)


@scenario
def interrupted_twice(bench):
    """The second Ctrl-C: out with 130; the next run picks the calls up."""
    world, people, running = going(bench, talk=3)
    running.send(INT)
    time.sleep(0.3)
    running.send(INT)
    sent = time.time()
    ended = running.end(10)
    need(ended.code == 130 and time.time() - sent < 6, f"{ended}")
    world.talk = 0.3
    again = bench.run(world, "--reserve", 3)
    need(again.json["leads"]["settled"] == 25, f"{again}")
    once(world, people)
    need(world.tight(3)[0] <= 1, f"{world.tight(3)} dials into the reserve")


def ended_by(number, code):
    def signalled(bench):
        world, people, running = going(bench, talk=3)
        running.send(number)
        sent = time.time()
        ended = running.end(10)
        need(ended.code == code and time.time() - sent < 6, f"{ended}")
        world.talk = 0.3
        bench.run(world, "--reserve", 3)
        once(world, people)
        need(world.tight(3)[0] <= 1, f"{world.tight(3)} dials into the reserve")
    return signalled


SCENARIOS["terminated"] = ended_by(TERM, 143)
SCENARIOS["hung_up"] = ended_by(HUP, 129)


@scenario
def terminated_while_answers_are_out(bench):
    """SIGTERM waits up to five seconds for answers that are out, so that few stay in doubt."""
    world = bench.standin(faults={"slow": 1.0}, talk=0.5)
    world.slow_for = 1.0
    people = bench.leads(6)
    running = bench.start(world, "--reserve", 3)
    wait_for(lambda: len(world.posts) >= 1, 10, "a request")
    running.send(TERM)
    need(running.end(10).code == 143, "another exit")
    world.faults = {}
    again = bench.run(world, "--reserve", 3)
    once(world, people)
    need(again.seconds < 5, f"{again}")


@scenario
def interrupted_before_anything(bench):
    """Ctrl-C while the pre-flight hangs: out soon, nobody called, nothing lost."""
    world = bench.standin(odd=lambda handler, method, path: time.sleep(3) if path.startswith("/assistant") else None)
    people = bench.leads(4)
    running = bench.start(world, "--reserve", 3)
    time.sleep(0.5)
    running.send(INT)
    ended = running.end(10)
    bench.note(f"exit {ended.code} after {ended.seconds:.1f} s")
    need(not world.posts and ended.code in (4, 130), f"{ended}")
    world.odd = None
    bench.run(world, "--reserve", 3)
    once(world, people)


@scenario
def closed_streams(bench):
    """Losing stdout or stderr ends no run."""
    world = bench.standin(talk=0.3)
    people = bench.leads(20)
    pipes = [os.pipe(), os.pipe()]
    running = bench.start(world, "--reserve", 3, stdout=pipes[0][1], stderr=pipes[1][1])
    for _, write in pipes:
        os.close(write)
    wait_for(lambda: world.posts, 10, "a request")
    for read, _ in pipes:
        os.close(read)
    need(running.process.wait(30) in (0, 1), f"exit {running.process.returncode}")
    bench.note(f"exit {running.process.returncode}")
    bench.run(world, "--reserve", 3)
    once(world, people)


@scenario
def no_streams(bench):
    """Started without stdin, stdout or stderr at all."""
    world = bench.standin(talk=0.2)
    people = bench.leads(8)
    env = {"DIALER_STATE": str(bench.folder / "state"), "VAPI_API_KEY": world.key, "VAPI_ASSISTANT_ID": "a",
           "VAPI_PHONE_NUMBER_ID": "line-1,line-2", "VAPI_BASE_URL": world.url}
    script = f"exec '{bench.binary}' run leads.csv --hours any --poll 100ms --rate 500/s <&- >&- 2>&-"
    need(subprocess.run(["sh", "-c", script], cwd=bench.folder, env=env, timeout=30).returncode == 0, "another exit")
    once(world, people)
    need({post["line"] for post in world.posts} == {"line-1", "line-2"}, "one line only")


@scenario
def paused_and_resumed(bench):
    """A pause holds within a poll, is kept, ends a new run with 4; a resume lets it go on."""
    world, people, running = going(bench, talk=0.5)
    need(bench.command("pause", "leads").end().code == 0, "pause failed")
    time.sleep(0.35)
    posts = len(world.posts)
    time.sleep(1.5)
    need(len(world.posts) == posts and running.up() in (True, False), f"{len(world.posts) - posts} dials while paused")
    if running.up():
        need(bench.command("resume", "leads").end().code == 0, "resume failed")
        need(running.end(30).code == 0, "the run did not finish")
    bench.note("the run stayed" if running.process.returncode == 0 else f"exit {running.process.returncode}")
    need(bench.command("pause", "leads").end().code == 0, "pause failed")
    bench.leads(30)
    before = len(world.posts)
    bench.run(world, "--reserve", 3, code=4)
    need(len(world.posts) == before, "dialed while paused")
    waiting = bench.start(world, "--reserve", 3, "--wait")
    time.sleep(1)
    need(waiting.up() and len(world.posts) == before, "a run with --wait did not wait")
    need(bench.command("resume", "leads").end().code == 0, "resume failed")
    need(waiting.end(30).code == 0, "the waiting run did not finish")
    once(world, people + [phone(n) for n in range(25, 30)])


@scenario
def stopped(bench):
    """A stop from another shell acts as the first Ctrl-C."""
    world, people, running = going(bench, talk=0.6)
    need(bench.command("stop", "leads").end().code == 0, "stop failed")
    time.sleep(0.35)
    posts = len(world.posts)
    ended = running.end(30)
    bench.adds_up(ended)
    need(ended.code == 4 and len(world.posts) == posts and world.up() == 0, f"{len(world.posts) - posts} more: {ended}")
    bench.run(world, "--reserve", 3)
    once(world, people)


@scenario
def limited(bench):
    """--limit counts attempts of this run, refused ones apart."""
    world = bench.standin(talk=0.3, full=0.3, seed=2)
    people = bench.leads(20)
    for wanted in (7, 14):
        ended = bench.run(world, "--reserve", 3, "--limit", 7, code=4)
        need(len(world.rings()) == wanted, f"{len(world.rings())} called, not {wanted}: {ended}")
    bench.run(world, "--reserve", 3, "--limit", 7)
    once(world, people)


@scenario
def limited_by_cost(bench):
    """--max-cost holds over all runs of the campaign."""
    world = bench.standin(talk=0.3)
    bench.leads(40)
    ended = bench.run(world, "--reserve", 3, "--max-cost", "0.30", code=4)
    need(len(world.rings()) <= 11, f"{len(world.rings())} called for $0.30 at $0.03: {ended}")
    first = len(world.rings())
    bench.run(world, "--reserve", 3, "--max-cost", "0.30", code=4)
    need(len(world.rings()) <= max(first, 11), f"{first}, then {len(world.rings())}")
    bench.note(f"{first} called, then {len(world.rings()) - first}")


@scenario
def until_past(bench):
    world = bench.standin()
    bench.leads(5)
    past = (datetime.now(timezone.utc) - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    ended = bench.run(world, "--until", past, code=4)
    need(not world.posts, f"dialed: {ended}")
    bench.run(world, "--until", (datetime.now() - timedelta(minutes=2)).strftime("%H:%M"), code=4)
    need(not world.posts, "dialed")


@scenario
def until_soon(bench):
    """No dial after --until; calls that are up are followed."""
    world = bench.standin(talk=0.5)
    people = bench.leads(60)
    stop = datetime.now(timezone.utc) + timedelta(seconds=2)
    ended = bench.run(world, "--reserve", 3, "--until", stop.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), code=4)
    late = [post["at"] - stop.timestamp() for post in world.posts if post["at"] > stop.timestamp() + 0.05]
    need(not late and world.posts and world.up() == 0, f"dialed {late} s late: {ended}")
    bench.run(world, "--reserve", 3)
    once(world, people)


@scenario
def closed_hours(bench):
    """Nobody is called outside their hours: exit 4, and when to come back."""
    world = bench.standin()
    bench.leads(5)
    now = datetime.now(timezone.utc) - timedelta(hours=8)  # no later than any zone of these numbers
    begin = (now + timedelta(hours=5)).strftime("%H:00")
    stop = (now + timedelta(hours=7)).strftime("%H:00")
    ended = bench.run(world, "--hours", f"{begin}-{stop}", code=4)
    need(not world.posts and ended.json["next_at"], f"{ended}")
    need(not [path for _, _, path in world.requests if path.startswith("/call")], f"{world.requests}")


@scenario
def retried(bench):
    """At most --attempts rings each, and no fewer where nobody answers."""
    world = bench.standin(talk=0.1, reasons={"customer-did-not-answer": 1})
    people = bench.leads(20)
    ended = bench.run(world, "--reserve", 3, "--attempts", 3, "--retry", "no-answer=1s", "--per-day", 10, "--wait")
    need(all(world.rings().get(number) == 3 for number in people), f"{world.rings()}")
    need(ended.json["dispositions"] == {"no-answer": 20}, f"{ended.json['dispositions']}")
    for number in people:
        calls = [call for call in world.ours() if call["body"]["customer"]["number"] == number]
        gaps = [b["began"] - a["end"] for a, b in zip(calls, calls[1:])]
        need(min(gaps) >= 0.85, f"called again after {min(gaps):.2f} s")


@scenario
def retried_in_many_ways(bench):
    """A mix of ends, with faults: nobody oftener than allowed, nobody again who talked."""
    world = bench.standin(talk=0.2, seed=12, faults={"drop-after": 0.05, "drop-before": 0.05}, full=0.1, reasons={
        "customer-did-not-answer": 4, "customer-busy": 3, "voicemail": 3, "customer-ended-call": 3,
        "assistant-ended-call": 2, "call.in-progress.error-providerfault-openai-llm-failed": 2,
        "call.start.error-get-transport": 1})
    people = bench.leads(40)
    ended = bench.run(world, "--reserve", 3, "--attempts", 3, "--retry", "no-answer=500ms", "--retry", "busy=300ms",
                      "--retry", "voicemail=never", "--retry", "fault=500ms", "--per-day", 10, "--wait", code=None,
                      timeout=90)
    need(ended.code in (0, 5), f"{ended}")
    bench.note(f"exit {ended.code}, {ended.json['dispositions']}")
    talked = {"customer-ended-call", "assistant-ended-call", "voicemail",
              "call.in-progress.error-providerfault-openai-llm-failed"}
    for number in people:
        calls = sorted((call for call in world.ours() if call["body"]["customer"]["number"] == number),
                       key=lambda call: call["began"])
        need(len(calls) <= 3, f"{number} called {len(calls)} times")
        early = [call["reason"] for call in calls[:-1] if call["reason"] in talked]
        need(not early, f"{number} called again after {early}")


@scenario
def retried_by_the_day(bench):
    """--per-day stops the third ring of a day."""
    world = bench.standin(talk=0.1, reasons={"customer-did-not-answer": 1})
    people = bench.leads(6)
    ended = bench.run(world, "--reserve", 3, "--attempts", 5, "--retry", "no-answer=300ms", code=None)
    time.sleep(0.5)
    for _ in range(3):
        ended = bench.run(world, "--reserve", 3, "--attempts", 5, "--retry", "no-answer=300ms", code=None)
        time.sleep(0.5)
    need(all(world.rings().get(number) == 2 for number in people), f"{world.rings()}")
    need(ended.code == 4 and ended.json["next_at"], f"{ended}")


@scenario
def attempts_raised(bench):
    """With --attempts raised later, settled leads are reopened; those who talked are not."""
    world = bench.standin(talk=0.1, reasons={"customer-did-not-answer": 1, "customer-ended-call": 1})
    people = bench.leads(20)
    bench.run(world, "--reserve", 3)
    silent = {call["body"]["customer"]["number"] for call in world.ours() if call["reason"] == "customer-did-not-answer"}
    time.sleep(0.3)
    bench.run(world, "--reserve", 3, "--attempts", 2, "--retry", "no-answer=100ms", "--per-day", 9, "--wait")
    need({number for number, rung in world.rings().items() if rung == 2} == silent, f"{world.rings()} {silent}")
    need(set(world.rings()) == set(people), "somebody was never called")


@scenario
def suppressed(bench):
    """A number suppressed while the run goes on is not called."""
    world, people, running = going(bench, count=30, talk=0.8)
    later = [number for number in people if number not in world.rings()]
    need(bench.command("suppress", later[-1], "--reason", "asked").end().code == 0, "suppress failed")
    ended = running.end(30)
    bench.adds_up(ended)
    need(ended.code == 0 and later[-1] not in world.rings(), f"{ended}")
    need(ended.json["leads"]["suppressed"] == 1 and ended.json["dispositions"]["suppressed"] == 1, f"{ended}")


@scenario
def do_not_call_grows(bench):
    """A number added to the --dnc file stops at once."""
    world = bench.standin(talk=0.8)
    people = bench.leads(25)
    (bench.folder / "dnc.csv").write_text(f"number\n{people[3]}\n")
    running = bench.start(world, "--reserve", 3, "--dnc", "dnc.csv")
    wait_for(lambda: len(world.posts) >= 6, 10, "the sixth request")
    with open(bench.folder / "dnc.csv", "a") as file:
        file.write(f"{people[-1]}\n")
    ended = running.end(30)
    bench.adds_up(ended)
    need(ended.code == 0 and not {people[3], people[-1]} & set(world.rings()), f"{ended}")
    need(ended.json["leads"]["suppressed"] == 2, f"{ended}")


@scenario
def dry_run(bench):
    """A dry run opens no connection and writes nothing."""
    world = bench.standin()
    bench.leads(60)
    ended = bench.start(world, "--reserve", 3, "--dry-run").end()
    need(ended.code == 0 and not world.requests, f"{world.requests}: {ended}")
    need(not (bench.folder / "state").exists(), "it left a state directory")


@scenario
def daily_reserve(bench):
    """A reserve by the hour, whose value now leaves no slot: nobody is called, exit 4."""
    world = bench.standin(talk=0.3)
    bench.leads(5)
    bench.run(world, "--reserve", "00:00=10", code=None)
    need(not world.posts, f"{len(world.posts)} dialed")
    hour = datetime.now()
    table = f"00:00=2,{(hour + timedelta(hours=2)).strftime('%H:%M')}=10" if hour.hour < 21 else "00:00=2"
    bench.run(world, "--reserve", table)
