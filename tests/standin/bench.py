"""What the scenarios share: a folder of their own, stand-ins, lists, runs of the binary, and what must always hold."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from standin import Standin

KEY = "sk-never-to-be-shown-5f0c"
QUICK = ["--poll", "100ms", "--rate", "500/s", "--in-doubt", "2s", "--post-timeout", "2s", "--probe-after", "400ms"]


class Wrong(Exception):
    """Something that was promised did not hold."""


def need(holds, text):
    if not holds:
        raise Wrong(text)


def phone(n):
    return f"+1415{2000000 + n:07d}"


class Ended:
    """How a run ended."""

    def __init__(self, process, out, err, seconds, memory):
        self.code, self.out, self.err, self.seconds, self.memory = process.returncode, out, err, seconds, memory
        self.json = None
        for line in [out.strip()] if out.strip() else []:
            try:
                self.json = json.loads(line)
            except ValueError:
                pass

    def __str__(self):
        lines = "\n".join(self.err.strip().splitlines()[-14:])
        return f"exit {self.code} after {self.seconds:.1f} s\n{self.out.strip()}\n{lines}"


class Running:
    def __init__(self, bench, arguments, env, **streams):
        self.began, self.memory = time.time(), 0
        self.err_path = bench.folder / f"err-{len(bench.started)}"
        self.out_path = bench.folder / f"out-{len(bench.started)}"
        streams = {"stdout": open(self.out_path, "wb"), "stderr": open(self.err_path, "wb")} | streams
        self.process = subprocess.Popen([bench.binary, *map(str, arguments)], env=env, cwd=bench.folder,
                                        stdin=subprocess.DEVNULL, **streams)
        bench.started.append(self)
        threading.Thread(target=self.weigh, daemon=True).start()

    def weigh(self):
        while self.process.poll() is None:
            try:
                text = Path(f"/proc/{self.process.pid}/status").read_text()
                self.memory = max(self.memory, int(re.search(r"VmHWM:\s+(\d+)", text)[1]) // 1024)
            except (OSError, TypeError):
                pass
            time.sleep(0.05)

    def send(self, number):
        if self.process.poll() is None:
            os.kill(self.process.pid, number)

    def up(self):
        return self.process.poll() is None

    def err(self):
        return self.err_path.read_text(errors="replace")

    def end(self, timeout=40):
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Wrong(f"still running after {time.time() - self.began:.0f} s\n{self.err()[-1500:]}") from None
        return Ended(self.process, self.out_path.read_text(errors="replace"), self.err(), time.time() - self.began,
                     self.memory)


class Bench:
    """One scenario's place in the world."""

    def __init__(self, binary):
        self.binary = str(Path(binary).resolve())
        self.folder = Path(tempfile.mkdtemp(prefix="dialer-check-"))
        self.standins, self.started, self.notes = [], [], []

    def close(self, keep=False):
        for running in self.started:
            if running.up():
                running.process.kill()
                running.process.wait()
        for standin in self.standins:
            standin.close()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def note(self, text):
        self.notes.append(text)

    def standin(self, port=0, **settings):
        standin = Standin(port, **({"key": KEY} | settings))
        self.standins.append(standin)
        standin.world.url = standin.url
        standin.world.standin = standin
        return standin.world

    def leads(self, count, name="leads.csv", first=0):
        rows = [f"{phone(n)},Person {n},City {n % 7}" for n in range(first, first + count)]
        (self.folder / name).write_text("\n".join(["number,name,city", *rows]) + "\n")
        return [phone(n) for n in range(first, first + count)]

    def command(self, verb, *arguments, state="state", env=None, **streams):
        env = {"DIALER_STATE": str(self.folder / state), "VAPI_API_KEY": KEY} | (env or {})
        return Running(self, [verb, *arguments], env, **streams)

    def start(self, world, *arguments, leads="leads.csv", state="state", quick=QUICK, env=None, **streams):
        common = ["--base-url", world if isinstance(world, str) else world.url, "--assistant-id", "assistant-1", "--json"]
        for flag, value in (("--phone-number-id", "line-1"), ("--hours", "any")):
            common += [flag, value] if flag not in arguments else []
        given = [flag for flag in arguments if str(flag).startswith("--")]
        pairs = [pair for pair in zip(quick[::2], quick[1::2]) if pair[0] not in given]
        flags = [part for pair in pairs for part in pair]
        leads = leads if isinstance(leads, list) else [leads]
        return self.command("run", *leads, *common, *flags, *arguments, state=state, env=env, **streams)

    def run(self, world, *arguments, code=0, timeout=40, **more):
        ended = self.start(world, *arguments, **more).end(timeout)
        need(code is None or ended.code == code, f"wanted exit {code}: {ended}")
        self.adds_up(ended)
        return ended

    def adds_up(self, ended):
        """What holds of every answer of `run --json`."""
        it = ended.json
        need(it is not None or ended.code in (129, 130, 143, -9), f"no JSON on stdout: {ended}")
        if it is None:
            return
        need(it["exit"] == ended.code, f"JSON says exit {it['exit']}: {ended}")
        if "error" in it and "leads" not in it:
            need(set(it) == {"campaign", "exit", "error"} and ended.code in (1, 2, 5, 6), f"a bare error: {ended}")
            return
        rows, leads, calls, pool = it["list"], it["leads"], it["calls"], it["pool"]
        need(set(it) >= {"campaign", "exit", "list", "leads", "dispositions", "calls", "pool", "next_at", "seconds",
                         "cost_usd"}, f"a field is missing: {it}")
        need(rows["rows"] == rows["leads"] + rows["rejected"] + rows["duplicates"], f"rows: {rows}")
        need(leads["total"] == leads["settled"] + leads["open"] + leads["in_doubt"], f"leads: {leads}")
        need(sum(it["dispositions"].values()) == leads["settled"], f"dispositions: {it}")
        need(leads["suppressed"] <= leads["settled"] and calls["blocked"] <= calls["refused"], f"parts: {it}")
        need(set(pool) >= {"limit", "reserve", "peak_ours", "lowest_free", "below_reserve_s"}, f"pool: {pool}")
        if ended.code == 0:
            need(leads["open"] == leads["in_doubt"] == 0, f"exit 0 with leads left: {leads}")
        if ended.code == 3:
            need(leads["open"] == 0 and leads["in_doubt"] > 0, f"exit 3: {leads}")
        if ended.code == 4:
            need(leads["open"] + leads["in_doubt"] > 0, f"exit 4 with nothing left: {leads}")

    def flawless(self):
        """What holds of every scenario: no malformed or repeated request, and the key shown nowhere."""
        for standin in self.standins:
            need(not standin.world.flaws, "; ".join(standin.world.flaws[:3]))
        for path in self.folder.rglob("*"):
            if path.is_file() and KEY.encode() in path.read_bytes():
                raise Wrong(f"the key stands in {path.relative_to(self.folder)}")
        for running in self.started:
            need("panicked" not in running.err(), f"a panic: {running.err()[-800:]}")


def once(world, people, missing=0, doubled=0):
    """Nobody was called twice, and everybody was called."""
    rings = world.rings()
    twice = {number: rung for number, rung in rings.items() if rung > 1}
    need(len(twice) <= doubled, f"called more than once: {twice}")
    lost = [number for number in people if number not in rings]
    need(len(lost) <= missing, f"never called: {lost}")
    need(set(rings) <= set(people), f"called and not on the list: {set(rings) - set(people)}")


def wait_for(holds, seconds=10, what="it"):
    until = time.time() + seconds
    while time.time() < until:
        if holds():
            return
        time.sleep(0.02)
    raise Wrong(f"{what} did not happen within {seconds} s")


INT, TERM, HUP, KILL = signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL
