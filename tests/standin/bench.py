"""What the scenarios share: a folder of their own, stand-ins, lists, runs of the binary, and what must always hold.

A scenario is a function of a `Bench`: written out, or a row of a table made of the steps at the end of this file. What
must hold is said there as expressions over `Bench.names`, so that a failure shows the very words.
"""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

from standin import Standin

KEY = "sk-never-to-be-shown-5f0c"
QUICK = {"--poll": "100ms", "--rate": "500/s", "--in-doubt": "2s", "--post-timeout": "2s", "--probe-after": "400ms"}
USUAL = {"--assistant-id": "assistant-1", "--phone-number-id": "line-1", "--hours": "any"}
INT, TERM, HUP, KILL = signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL
STOP, CONT = signal.SIGSTOP, signal.SIGCONT


class Wrong(Exception):
    """Something that was promised did not hold."""


def need(holds, text):
    if not holds:
        raise Wrong(text)


def wait_for(holds, seconds=10, what="it"):
    until = time.time() + seconds
    while time.time() < until:
        if holds():
            return
        time.sleep(0.02)
    raise Wrong(f"{what} did not happen within {seconds} s")


def phone(n):
    return f"+1415{2000000 + n:07d}"


class Json(dict):
    """An object whose fields are read with a dot."""

    __getattr__ = dict.__getitem__


class Ended:
    """How a run ended."""

    def __init__(self, process, out, err, seconds, memory):
        self.code, self.out, self.err, self.seconds, self.memory = process.returncode, out, err, seconds, memory
        try:
            self.json = json.loads(out, object_hook=Json)
        except ValueError:
            self.json = None

    def __str__(self):
        lines = "\n".join(self.err.strip().splitlines()[-14:])
        return f"exit {self.code} after {self.seconds:.1f} s\n{self.out.strip()}\n{lines}"

    def adds_up(self):
        """What holds of every answer of `run --json`."""
        it = self.json
        need(it is not None or self.code in (129, 130, 143, -9), f"no JSON on stdout: {self}")
        if it is None:
            return
        need(it.exit == self.code, f"JSON says exit {it.exit}: {self}")
        if "error" in it and "leads" not in it:
            # A signal's own code, where the journal could not be asked how things stand.
            left = self.code in (4, 129, 130, 143) and ("journal" in it.error or "before anybody" in it.error)
            need(set(it) == {"campaign", "exit", "error"} and (left or self.code in (1, 2, 5, 6)), f"a bare error: {self}")
            return
        rows, leads, calls, pool = it.list, it.leads, it.calls, it.pool
        need(set(it) >= {"campaign", "exit", "list", "leads", "dispositions", "calls", "pool", "next_at", "seconds",
                         "cost_usd"}, f"a field is missing: {it}")
        need(rows.rows == rows.leads + rows.rejected + rows.duplicates, f"rows: {rows}")
        need(leads.total == leads.settled + leads.open + leads.in_doubt, f"leads: {leads}")
        need(sum(it.dispositions.values()) == leads.settled, f"dispositions: {it}")
        need(leads.suppressed <= leads.settled and calls.blocked <= calls.refused, f"parts: {it}")
        need(set(pool) >= {"limit", "reserve", "peak_ours", "lowest_free", "below_reserve_s"}, f"pool: {pool}")
        need(self.code != 0 or leads.open == leads.in_doubt == 0, f"exit 0 with leads left: {leads}")
        need(self.code != 3 or (leads.open == 0 and leads.in_doubt > 0), f"exit 3: {leads}")
        # A start that a signal ended before it had read the list has rows of none.
        need(self.code != 4 or leads.open + leads.in_doubt > 0 or rows.rows == 0, f"exit 4 with nothing left: {leads}")


class Running:
    def __init__(self, bench, arguments, env, **streams):
        self.began, self.memory = time.time(), 0
        self.err_path = bench.folder / f"err-{len(bench.started)}"
        self.out_path = bench.folder / f"out-{len(bench.started)}"
        streams = {"stdin": subprocess.DEVNULL, "stdout": open(self.out_path, "wb"),
                   "stderr": open(self.err_path, "wb")} | streams
        self.process = subprocess.Popen([bench.binary, *arguments], env=env, cwd=bench.folder, **streams)
        bench.started.append(self)
        threading.Thread(target=self.weigh, daemon=True).start()

    def weigh(self):
        while self.up():
            try:
                text = Path(f"/proc/{self.process.pid}/status").read_text()
                self.memory = max(self.memory, int(re.search(r"VmHWM:\s+(\d+)", text)[1]) // 1024)
            except (OSError, TypeError):
                pass
            time.sleep(0.05)

    def up(self):
        return self.process.poll() is None

    def send(self, number):
        if self.up():
            os.kill(self.process.pid, number)

    def kill(self):
        self.send(KILL)
        self.process.wait()

    def err(self):
        return self.err_path.read_text(errors="replace")

    def end(self, timeout=60):
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Wrong(f"still running after {time.time() - self.began:.0f} s\n{self.err()[-1500:]}") from None
        return Ended(self.process, self.out_path.read_text(errors="replace"), self.err(), time.time() - self.began,
                     self.memory)


class Bench:
    """One scenario's place in the world."""

    def __init__(self, binary):
        self.binary = str(Path(binary).resolve())
        self.folder = Path(tempfile.mkdtemp(prefix="dialer-check-"))
        self.standins, self.started, self.notes, self.marks = [], [], [], {}
        self.world = self.people = self.running = self.ended = None

    def close(self, keep=False):
        for running in self.started:
            running.kill()
        for standin in self.standins:
            standin.close()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def note(self, text):
        self.notes.append(text)

    # ---- what there is

    def standin(self, **settings):
        standin = Standin(**({"key": KEY} | settings))
        self.standins.append(standin)
        standin.world.url, standin.world.standin = standin.url, standin
        self.world = self.world or standin.world
        return standin.world

    def write(self, text, name="leads.csv", mode="w"):
        with open(self.folder / name, mode) as file:
            file.write(text)

    def leads(self, count, name="leads.csv", first=0):
        rows = [f"{phone(n)},Person {n},City {n % 7}" for n in range(first, first + count)]
        self.write("\n".join(["number,name,city", *rows]) + "\n", name)
        return [phone(n) for n in range(first, first + count)]

    # ---- what is done

    def query(self, text, state="state"):
        """What the journal says, or is made to say."""
        with closing(sqlite3.connect(self.folder / state / "journal.db")) as journal, journal:
            row = journal.execute(text).fetchone()
            return row and row[0]

    def command(self, line, state="state", env=None, **streams):
        env = {"DIALER_STATE": str(self.folder / state), "VAPI_API_KEY": KEY} | (env or {})
        return Running(self, line.split() if isinstance(line, str) else line, env, **streams)

    def tell(self, line, code=0, **more):
        ended = self.command(line, **more).end(60)
        need(code is None or ended.code == code, f"wanted exit {code} of {line}: {ended}")
        return ended

    def start(self, flags="", leads="leads.csv", world=None, until=0, **more):
        """A run; `until` so many requests that place calls have come."""
        world, given = world or self.world, flags.split()
        usual = {"--base-url": world.url} | USUAL | QUICK
        unsaid = [part for flag, value in usual.items() if flag not in given for part in (flag, value)]
        self.running = self.command(["run", leads, "--json", *unsaid, *given], **more)
        if until:
            wait_for(lambda: len(world.posts) >= until, 10, f"request {until}")
        return self.running

    def ends(self, code=0, *holds, running=None, within=60):
        """The run ends by itself, as it should; all of `holds` is so then."""
        self.ended = ended = (running or self.running).end(within)
        need(code is None or ended.code == code, f"wanted exit {code}: {ended}")
        ended.adds_up()
        self.holds(*holds)
        return ended

    def run(self, flags="", code=0, *holds, timeout=60, **more):
        return self.ends(code, *holds, running=self.start(flags, **more), within=timeout)

    # ---- what must hold

    def names(self):
        world, it = self.world, self.ended and self.ended.json or Json()
        left = it.get("leads") or Json()
        return {"s": self, "world": world, "posts": world.posts, "rings": world.rings(), "rung": len(world.rings()),
                "people": self.people, "refused": world.refused, "requests": world.requests, "up": world.up(),
                "ended": self.ended, "it": it, "calls": it.get("calls"), "pool": it.get("pool"), "phone": phone,
                "settled": left.get("settled"), "open": left.get("open"), "doubt": left.get("in_doubt"), **self.marks}

    def holds(self, *conditions):
        names = self.names() if conditions else {}
        for condition in conditions:
            if not eval(condition, names):
                parts = "\n".join(f"  {name} = {str(names[name])[:300]}" for name in re.findall(r"\b[a-z]+\b", condition)
                                  if name in names and name not in ("s", "world", "ended", "it", "posts"))
                raise Wrong(f"not so: {condition}\n{parts}\n{len(self.world.posts)} requests; {self.ended}")

    def once(self, people=None, world=None, missing=0, doubled=0):
        """Nobody was called twice, and everybody was called."""
        rings, people = (world or self.world).rings(), self.people if people is None else people
        twice = {number: rung for number, rung in rings.items() if rung > 1}
        need(len(twice) <= doubled, f"called more than once: {twice}; {self.ended}")
        lost = [number for number in people if number not in rings]
        need(len(lost) <= missing, f"never called: {lost}; {self.ended}")
        need(set(rings) <= set(people), f"called and not on the list: {set(rings) - set(people)}")

    def keeps(self, reserve, share=0.05):
        """So few dials found no more than the reserve free."""
        world = self.world
        (tight, dials), (known, _) = world.tight(reserve), world.tight(reserve, known=True)
        self.note(f"{tight} of {dials} dials with {reserve} or fewer free, {world.away} of {world.callers_seen} callers "
                  f"refused, busy {world.busy(reserve):.0%}")
        need(known <= share * dials + 1, f"{known} of {dials} dials found no more than the reserve of {reserve} free")
        # With slow answers some callers come too late to be known of: those cost a dial in seven at the most.
        need(tight <= max(share, 0.15 if world.latency else 0) * dials + 1, f"{tight} of {dials} dials were tight")

    def flawless(self):
        """What holds of every scenario: no malformed or repeated request, and the key shown nowhere."""
        for standin in self.standins:
            need(not standin.world.flaws, "; ".join(standin.world.flaws[:3]))
        for path in self.folder.rglob("*"):
            if path.is_file() and KEY.encode() in path.read_bytes():
                raise Wrong(f"the key stands in {path.relative_to(self.folder)}")
        for running in self.started:
            need("panicked" not in running.err(), f"a panic: {running.err()[-800:]}")
