"""One campaign, one database, two machines: whatever befalls one of them or the database, the other goes on.

`DIALER_TEST_POSTGRES` says that there is a PostgreSQL here to start; without it these scenarios are skipped.
`DIALER_TURNS` is how often something befalls them in `postgres_turns`.
"""

import os
import random
import re
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from bench import CONT, INT, STOP, TERM, Wrong, need, wait_for
from database import Pooler, Proxy, Server
from scenario import scenario

# How long a lease lasts that nobody renews, and the same for runs of other campaigns.
LEASE = 15
SLOW = "--rate 2/s --poll 250ms"
# What is another in each campaign: ids of calls and attempts, numbers, times.
IDS, NUMBERS = r"[0-9a-f]{8}-[0-9a-f-]{27}|\bd[0-9a-f]{8}-\w{22}", r"[\d.,:-]+|just now"
STATEMENTS = [b"COMMIT", b"BEGIN", b"SELECT", b"INSERT", b"UPDATE", b"UPDATE dialer.leases", b"FOR KEY SHARE"]


@contextmanager
def server(s):
    """A server of the scenario's own; none where there is no PostgreSQL."""
    if "DIALER_TEST_POSTGRES" not in os.environ:
        s.note("skipped: DIALER_TEST_POSTGRES is not set, so no PostgreSQL is taken to be here")
        yield None
        return
    own = Server()
    try:
        yield own
        said = own.said("deadlock detected")
        need(not said, f"{said} deadlocks: {own.folder}")
    finally:
        for running in s.started:
            running.kill()
        own.close()


class Machine:
    """A host: its own way to the database, and the run that was last started on it."""

    def __init__(self, lane):
        self.lane, self.proxy = lane, Proxy(lane.server.port)
        self.running = None
        self.start()

    def start(self):
        lane = self.lane
        self.running = lane.s.start(f"{SLOW} --standby", leads=lane.leads, world=lane.world,
                                    env={"DIALER_STATE": lane.server.url(lane.name, self.proxy.port)})

    def found_no_database(self):
        """Its start, or its take-over, fell into a crash of the server: the same command is run again."""
        return self.running.process.poll() == 1 and "cannot be reached" in self.running.err()

    def tidy(self):
        """A run that ended is started again, as long as it may have ended so."""
        if not self.running.up():
            code = self.running.process.returncode
            need(code in (0, 4, 6, -9) or self.found_no_database(), f"it ended with {code}: {self.running.err()[-1500:]}")
            self.start()


class Lane:
    """A campaign with a list, a stand-in and a database of its own, run by two machines."""

    def __init__(self, s, own, nth, turns):
        self.s, self.server, self.name, self.leads = s, own, f"lane{nth}", f"leads-{nth}.csv"
        self.dice, self.kinds = random.Random(nth), []
        self.people = s.leads(50 + 70 * turns, self.leads, 10_000 * nth)
        self.world = s.standin(talk=0.6, seed=nth)
        own.database(self.name)
        self.machines = [Machine(self), Machine(self)]

    def holder(self):
        """The machine that has the campaign."""
        try:
            pid = self.server.ask("SELECT pid FROM dialer.leases WHERE expires > 0", self.name)
        except RuntimeError:
            return None
        return next((machine for machine in self.machines if str(machine.running.process.pid) == pid), None)

    def found(self):
        """The same, once there is one and the server says so."""
        holders = []
        wait_for(lambda: holders.append(self.holder()) or holders[-1], 40, f"{self.name}: a holder")
        return holders[-1]

    def dials(self, more, within, what):
        """Somebody goes on."""
        before = len(self.world.posts)

        def went_on():
            for machine in self.machines:
                if machine.found_no_database():
                    machine.start()
            return len(self.world.posts) >= before + more

        try:
            wait_for(went_on, within, f"going on {what}")
        except Wrong as wrong:
            told = "\n".join(f"{machine.running.process.poll()} {machine.running.err()[-700:]}" for machine in self.machines)
            raise Wrong(f"{self.name} after {self.kinds}: {wrong}\n{told}") from None

    def turn(self, kind):
        self.kinds.append(kind)
        self.dials(3, 40, "before anything happened")
        time.sleep(self.dice.uniform(0, 1))
        getattr(self, kind)(self.found())
        self.dials(3, 60, f"after {kind}")
        for machine in self.machines:
            machine.tidy()

    def killed(self, holder):
        holder.running.kill()

    def stopped(self, holder):
        holder.running.send(STOP)
        time.sleep(LEASE + self.dice.uniform(1, 6))
        holder.running.send(CONT)

    def silent(self, holder):
        """Cut off for longer than the lease; what was under way comes late."""
        holder.proxy.passes.clear()
        time.sleep(LEASE + self.dice.uniform(1, 6))
        holder.proxy.passes.set()

    def cut(self, holder):
        """Before the statement reached the server, or once it was carried out."""
        for words in self.dice.sample(STATEMENTS, len(STATEMENTS)):
            for answered in (False, True):
                holder.proxy.cut(words, answered)
                wait_for(lambda: not holder.proxy.plans or self.found() is not holder, 40, f"{words} ({self.name})")
                time.sleep(self.dice.uniform(0, 0.3))
        holder.proxy.plans.clear()

    def crashed(self, _):
        self.server.crash()

    def killed_while_crashed(self, holder):
        crash = threading.Thread(target=self.server.crash)
        crash.start()
        time.sleep(self.dice.uniform(0, 0.3))
        holder.running.kill()
        crash.join()

    def finish(self):
        """The rest of the list at once, and the judgement."""
        for machine in self.machines:
            machine.running.send(TERM)
        for machine in self.machines:
            machine.running.end(60)
        for _ in range(12):
            ended = self.s.start("--rate 500/s", leads=self.leads, world=self.world,
                                 env={"DIALER_STATE": self.server.url(self.name)}).end(120)
            if ended.code == 0:
                break
            need(ended.code in (4, 6), f"{self.name} after {self.kinds}: {ended}")
            time.sleep(2)
        need(ended.code == 0, f"{self.name} after {self.kinds}: {ended}")
        self.s.once(self.people, self.world)


KINDS = ["killed", "stopped", "silent", "cut", "crashed", "killed_while_crashed"]


@scenario(once=None, alone=True)
def postgres_turns(s):
    """Whatever befalls the machine that has the campaign, or the database: nobody is called twice, nobody is lost."""
    turns = int(os.environ.get("DIALER_TURNS", len(KINDS)))
    with server(s) as own:
        if own is None:
            return
        count = min(turns, len(KINDS))
        shares = [turns // count + (nth < turns % count) for nth in range(count)]
        lanes = [Lane(s, own, nth, share) for nth, share in enumerate(shares)]
        # Each kind as often as any other, each lane through all of them.
        plans = [[KINDS[(nth + turn) % len(KINDS)] for turn in range(share)] for nth, share in enumerate(shares)]
        wrongs = []

        def play(lane, kinds):
            try:
                for kind in kinds:
                    lane.turn(kind)
                lane.finish()
            except Exception as wrong:
                wrongs.append(f"{lane.name} after {lane.kinds}: {wrong!r}")

        threads = [threading.Thread(target=play, args=pair) for pair in zip(lanes, plans)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if wrongs:
            raise Wrong("\n".join(wrongs))
        cuts = sum(machine.proxy.cuts for lane in lanes for machine in lane.machines)
        s.note(f"{turns} turns, {cuts} cuts, {sum(len(lane.people) for lane in lanes)} people")


@scenario(once=None)
def postgres_behind_a_pooler(s):
    """PgBouncer in transaction mode in between; the holder is killed, the other machine goes on."""
    if not Pooler.is_there():
        return s.note("skipped: there is no pgbouncer")
    with server(s) as own:
        if own is None:
            return None
        own.database("pooled")
        pooler, people = Pooler(own), s.leads(80)
        env = {"DIALER_STATE": own.url("pooled", pooler.port)}
        try:
            first = s.start("--rate 4/s --standby", env=env, until=10)
            second = s.start("--rate 20/s --standby", env=env)
            first.kill()
            s.ends(0, running=second, within=90)
            s.once(people)
            told = s.tell("status leads --json", env=env)
            need(told.json is not None, str(told))
        finally:
            pooler.close()


@scenario(once=None)
def postgres_away_at_the_start(s):
    """The server is away when a run begins: it is waited for, for as long as `--journal-patience` says, and signals are heard."""
    with server(s) as own:
        if own is None:
            return None
        people, env = s.leads(8), {"DIALER_STATE": own.database("late")}
        own.stop()
        waits = s.start(env=env)
        given_up = s.ends(1, running=s.start("--journal-patience 1500ms", env=env), within=10)
        need("cannot be reached" in given_up.err or "been away" in given_up.err, str(given_up))
        need(given_up.seconds >= 1.5, f"it did not wait: {given_up}")
        interrupted = s.start(env=env)
        wait_for(lambda: "waiting for it" in interrupted.err(), 5, "a word of the wait")
        interrupted.send(INT)
        s.ends(4, running=interrupted, within=5)
        need(waits.up() and not s.world.posts, "it did not wait")
        own.start()
        s.ends(0, running=waits, within=30)
        s.once(people)


@scenario(once=None)
def postgres_cut_at_random(s):
    """Of all that is sent to the database every 20th piece breaks the connection, before it or after, from its first use to
    the end of the start; then every 300th. What was under way is done again, whole, and every run ends as if nothing had been."""
    with server(s) as own:
        if own is None:
            return
        runs = []
        for nth in range(6):
            people, world = s.leads(25, f"leads-{nth}.csv", 1000 * nth), s.standin(talk=0.3, seed=nth)
            own.database(f"cut{nth}")
            proxy = Proxy(own.port)
            proxy.often, proxy.dice = 0.05, random.Random(nth)
            running = s.start(f"--rate 20/s --in-doubt 10s --results results-{nth} --results-wait 1s", leads=f"leads-{nth}.csv", world=world,
                              env={"DIALER_STATE": own.url(f"cut{nth}", proxy.port)})
            runs.append((running, people, world, proxy))
        for running, people, world, proxy in runs:
            wait_for(lambda: " to call" in running.err() or not running.up(), 90, "the end of its start")
            proxy.often = 0.003
        early = sum(proxy.cuts for *_, proxy in runs)
        for running, people, world, proxy in runs:
            s.ends(0, running=running, within=100)
            s.once(people, world)
        for nth, (_, people, _, _) in enumerate(runs):
            rows = (s.folder / f"results-{nth}").read_text().splitlines()
            need(len(rows) == len(people), f"{len(rows)} rows of results for {len(people)} people")
        s.note(f"{early} cuts of starts, {sum(proxy.cuts for *_, proxy in runs)} in all, of {len(runs)} runs")


@scenario(once=None, talk=0.3)
def postgres_crashes_in_an_import(s):
    """The server dies twice while a long list is brought in: it is waited for, and the list is brought in whole."""
    with server(s) as own:
        if own is None:
            return
        env, many = {"DIALER_STATE": own.database("long")}, 60_000
        s.leads(many)
        running = s.start("--rate 5/s", env=env)
        for nth in range(2):
            copies = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY pg_temp%'"
            wait_for(lambda: own.ask(copies) == "1", 40, "a list on its way")
            time.sleep(0.2 + nth / 2)
            own.crash()
        wait_for(lambda: len(s.world.posts) > 5, 120, "a call")
        running.send(INT)
        s.ends(4, running=running, within=20)
        need(own.ask("SELECT count(*) FROM dialer.leads", "long") == str(many), "leads are missing")


def told_of(s, place):
    """What every command says in the course of a campaign whose journal is there: exit codes, and words without numbers."""
    reasons = {"customer-ended-call": 1}
    world, people, answers = s.standin(talk=0.3, reasons=reasons, seed=1), s.leads(14), []
    env, leads = {"DIALER_STATE": place}, (s.folder / "leads.csv").open
    out = s.folder / f"results-{len(s.standins)}"

    def tell(line, code=0):
        ended = s.tell(line, code, env=env)
        # What was foreseen and what is drawn over time are another each time.
        words = re.sub(r"  run of .*\n", "", ended.out.replace(place, "PLACE").split("the pool over time")[0])
        words = words.replace("rejects files on other machines are not looked into\n", "")
        answers.append((line, sorted(ended.json) if ended.json else re.sub(NUMBERS, "#", re.sub(IDS, "#", words))))
        return ended

    def start(flags="", out=out):
        given = f"--campaign list --poll 500ms --in-doubt never --results {out} --results-wait 1s {flags}"
        return s.start(given, leads="-", world=world, env=env, stdin=leads())

    tell(["suppress", people[0], "--reason", "asked"])
    tell("suppress --list")
    running = start("--rate 2/s")
    wait_for(lambda: len(world.posts) > 1, 20, "a call")
    began = time.time()
    s.tell("pause list", env=env)
    wait_for(lambda: "paused" in s.tell("status list", env=env).out, 5, "a pause")
    s.note(f"paused within {time.time() - began:.1f} s")
    time.sleep(0.6)
    before = len(world.posts)
    time.sleep(1)
    need(len(world.posts) == before, "called in a pause")
    need(s.tell("status --json", env=env).json[0].running is not None, "no run is shown")
    s.ends(6, running=start(out=f"{out}-too"), within=20)
    s.tell("resume list", env=env)
    wait_for(lambda: len(world.posts) > before, 10, "a call after the pause")
    began = time.time()
    s.tell("stop list", env=env)
    s.ends(4, running=running, within=10)
    s.note(f"stopped within {time.time() - began:.1f} s")
    world.script = lambda _, body: "drop-before" if body["customer"]["number"] in people[-2:] else None
    s.ends(3, running=start("--wait"), within=60)
    world.script = None
    left = s.tell("status --json", env=env).json[0].leads
    need(left.in_doubt == 2 and left.suppressed == 1, str(left))
    tell("release list --yes")
    s.ends(0, running=start(), within=60)
    for line in ("status", f"explain {people[2]}", "report list", "report list --format csv",
                 "report list --format csv --attempts"):
        tell(line)
    tell("report list --format json")
    tell(f"unsuppress {people[0]} --yes")
    tell(f"forget {people[3]} --yes")
    tell(f"explain {people[3]}")
    s.ends(0, running=start(), within=60)
    answers.append(("the list", s.tell("status --json", env=env).json[0].leads))
    answers.append(("called", {number: min(rung, 1) for number, rung in world.rings().items()}))
    answers.append(("results", len(out.read_text().splitlines())))
    tell("prune --older-than 1d")
    tell("prune --older-than 1ms")
    tell("status")
    return answers


@scenario(once=None)
def postgres_every_command(s):
    """Every command says of a journal in a database what it says of one in a directory; the list comes on stdin."""
    with server(s) as own:
        if own is None:
            return
        for here, there in zip(told_of(s, str(s.folder / "state")), told_of(s, own.database("every"))):
            need(here == there, f"{here}\n{there}")


@scenario(once=None)
def postgres_clock_an_hour_ahead(s):
    """A machine whose clock is an hour ahead takes no lease that is held, and calls nobody when it takes over."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if library is None:
        return s.note("skipped: there is no libfaketime")
    with server(s) as own:
        if own is None:
            return None
        people, url = s.leads(60), own.database("clocks")
        env = {"DIALER_STATE": url}
        wrong = env | {"LD_PRELOAD": str(library), "FAKETIME": "+1h", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        first = s.start("--rate 3/s", env=env, until=5)
        s.ends(6, running=s.start(env=wrong), within=20)
        first.kill()
        second = s.start("--standby", env=wrong)
        ended = second.end(60)
        posts = len(s.world.posts)
        need(ended.code in (1, 5), f"a clock that is an hour ahead: {ended}")
        s.note(f"exit {ended.code}: {ended.err.strip().splitlines()[-1][:90]}")
        s.run("--standby", 0, env=env, timeout=90)
        need(len(s.world.posts) > posts, "nobody went on")
        s.once(people)


@scenario(once=None, alone=True, slots=100, talk=3.0, inbound=2.0, inbound_talk=4.0, seed=3)
def postgres_twenty(s):
    """Twenty campaigns of twenty processes on one pool of a hundred: the reserve is kept, and nothing locks up."""
    with server(s) as own:
        if own is None:
            return
        env = {"DIALER_STATE": own.database("twenty")}
        everybody = []
        for nth in range(20):
            everybody += s.leads(50, f"leads-{nth}.csv", 1000 * nth)
        runs = [s.start("--reserve 5 --rate 3/s --poll 1s", leads=f"leads-{nth}.csv", env=env) for nth in range(20)]
        for running in runs:
            s.ends(0, running=running, within=150)
        s.once(everybody)
        tight, dials = s.world.tight(5)
        s.note(f"{tight} of {dials} dials with 5 or fewer free, {s.world.away} of {s.world.callers_seen} callers refused, "
               f"busy {s.world.busy(5):.0%}")
        need(tight <= 0.02 * dials, f"{tight} of {dials} dials into the reserve")
