"""Time and files taken away: a process that stands still, an output that nobody reads, a journal held, gone or copied."""

import os
import pty
import shutil
import sqlite3
import subprocess
import sys
import time

from bench import CONT, HUP, INT, STOP, TERM, Wrong, wait_for
from scenario import scenario

ONE_BY_ONE = "--rate 8/s --wait "


# ---- a process that stands still


def stop_between_claim_and_request(s, tries=60):
    """Stops the run when an attempt is on disk and its request has not come: whom it would call."""
    journal = sqlite3.connect(f"file:{s.folder / 'state' / 'journal.db'}?mode=ro", uri=True, isolation_level=None)
    newest = "select id, attempt, phone from attempts order by id desc limit 1"
    for _ in range(tries):
        known = journal.execute(newest).fetchone()
        until = time.time() + 10
        while (row := journal.execute(newest).fetchone()) == known:
            if time.time() > until:
                raise Wrong(f"no claim: {s.running.err()[-600:]}")
        s.running.send(STOP)
        time.sleep(0.4)  # What has left before is read by now.
        if row[1] not in {post["name"] for post in s.world.posts}:
            journal.close()
            return f"+{row[2]}"
        s.running.send(CONT)
    raise Wrong("it was never stopped between claim and request")


def fill(world, free, lasts):
    """Callers come until so few slots are free."""
    while world.free() > free:
        world.bear("inboundPhoneCall", {"customer": {"number": "+13105550199"}}, lasts=lasts)


def none_into_the_reserve(posts, turn):
    tight = [post for post in posts if post["free"] <= 3]
    assert not tight, f"turn {turn}: {len(tight)} dials into the reserve"


# The first is well within the deadline of its claims, which is half of --in-doubt.
for short, pause, flags in (("for_a_moment", 1.4, ONE_BY_ONE + "--in-doubt 30s"), ("past_the_deadline", 4.0, ONE_BY_ONE)):
    @scenario(60, once=None, talk=0.2, steady=True, name=f"stood_still_{short}_and_suppressed")
    def stood_still_and_suppressed(s, pause=pause, flags=flags):
        """Stopped between claim and request: who is suppressed meanwhile is not called."""
        s.start(flags, until=3)
        for _ in range(3):
            whom = stop_between_claim_and_request(s)
            s.tell(["suppress", whom])
            time.sleep(pause)
            s.running.send(CONT)
            time.sleep(0.6)
            assert whom not in s.world.rings(), f"{whom} was called"
        s.running.send(INT)
        s.ends(4, "max(rings.values()) == 1")

    for order in ("pause", "stop"):
        @scenario(40, once=None, talk=0.2, steady=True, name=f"stood_still_{short}_and_{order}")
        def stood_still_and_told(s, pause=pause, flags=flags, order=order):
            """The same with a pause, or a stop: nobody is called after it."""
            s.start(flags, until=3)
            stop_between_claim_and_request(s)
            posts = len(s.world.posts)
            s.tell(f"{order} leads")
            time.sleep(pause)
            s.running.send(CONT)
            if order == "stop":
                s.ends(4, f"len(posts) == {posts}", within=15)
                return
            time.sleep(1)
            assert len(s.world.posts) == posts, f"{len(s.world.posts) - posts} called while paused"
            s.running.send(TERM)
            s.ends(143, f"len(posts) == {posts}", within=15)

    @scenario(40, talk=0.2, steady=True, name=f"stood_still_{short}_and_full")
    def stood_still_and_full(s, pause=pause, flags=flags):
        """The same, and the pool fills up meanwhile: not one dial into the reserve."""
        s.start(flags, until=3)
        for _ in range(3):
            stop_between_claim_and_request(s)
            fill(s.world, 2, pause + 1.5)
            time.sleep(pause)
            s.running.send(CONT)
            time.sleep(0.8)
        s.ends(0, "world.tight(3)[0] == 0", within=60)


@scenario(40, talk=0.2, steady=True, latency=0.3)
def stood_still_with_a_read_on_its_way(s):
    """The same where answers are slow: a listing that was asked for before tells nothing of the pool on waking."""
    s.start(ONE_BY_ONE + "--in-doubt 30s --post-timeout 8s", until=3)
    for turn in range(4):
        time.sleep(0.5 + 0.1 * turn)
        s.running.send(STOP)
        time.sleep(0.7)
        fill(s.world, 2, 5)
        before = len(s.world.posts)
        time.sleep(2)
        s.running.send(CONT)
        time.sleep(1.5)
        none_into_the_reserve(s.world.posts[before:], turn)
        time.sleep(1.5)
    s.ends(0, within=90)


@scenario(30, talk=0.3)
def stood_still_again_and_again(s):
    """Stopped ten times for longer than a claim may wait, wherever it just was: nobody twice, nobody lost."""
    s.start("--wait", until=2)
    for n in range(10):
        s.running.send(STOP)
        time.sleep(1.4)
        s.running.send(CONT)
        time.sleep(0.05 + 0.03 * n)
    s.ends()


# ---- an output that nobody reads


def full_pipe():
    read, write = os.pipe()
    os.set_blocking(write, False)
    try:
        while True:
            os.write(write, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(write, True)
    return read, write


def terminal_with_ctrl_s():
    """A terminal whose reader has pressed Ctrl-S: the system holds what is written to it."""
    import termios
    leader, follower = pty.openpty()
    settings = termios.tcgetattr(follower)
    settings[0] |= termios.IXON
    termios.tcsetattr(follower, termios.TCSANOW, settings)
    return leader, follower


ENDINGS = {"stop": (lambda s: s.tell("stop leads"), 4), "int_twice": (lambda s: twice(s, INT), 130),
           "term": (lambda s: s.running.send(TERM), 143), "hup": (lambda s: s.running.send(HUP), 129)}


def twice(s, number):
    s.running.send(number)
    time.sleep(0.3)
    s.running.send(number)


for ending, (how, code) in ENDINGS.items():
    for output in ("pipe", "terminal"):
        @scenario(40, once=None, talk=0.8, name=f"unread_{output}_and_{ending}")
        def unread(s, how=how, code=code, output=output):
            """Nobody reads stderr: what ends a run is heard, and nobody is dialed after it, whoever reads on later."""
            reader, writer = full_pipe() if output == "pipe" else terminal_with_ctrl_s()
            env = {"TERM": "xterm"} if output == "terminal" else {}
            s.start("--rate 10/s", stderr=writer, env=env, until=2)
            if output == "terminal":
                os.write(reader, b"\x13")
            wait_for(lambda: len(s.world.posts) >= 8, 15, "request 8")
            how(s)
            time.sleep(0.4)
            posts = len(s.world.posts)
            if output == "terminal":
                os.write(reader, b"\x11")
            os.set_blocking(reader, False)
            until = time.time() + 12
            while s.running.up() and time.time() < until:
                time.sleep(0.1)
                try:
                    os.read(reader, 65536)
                except (BlockingIOError, OSError):
                    pass
            s.ends(code, f"len(posts) == {posts}", "max(rings.values()) == 1", within=1)
            os.close(writer)
            os.close(reader)
            s.run("", None, "ended.code == 0", timeout=60)
            s.once()

    @scenario(40, once=None, talk=0.8, name=f"never_read_and_{ending}")
    def never_read(s, how=how, code=code):
        """The same where nobody reads on."""
        reader, writer = full_pipe()
        s.start("--rate 10/s", stderr=writer, until=8)
        how(s)
        time.sleep(0.4)
        posts = len(s.world.posts)
        s.ends(code, f"len(posts) == {posts}", "max(rings.values()) == 1", within=12)


@scenario(5, talk=0.2)
def unread_stdout(s):
    """Nobody reads stdout when a run is over: its campaign is free, and a signal ends it."""
    for number, code in ((INT, 130), (TERM, 143), (HUP, 129)):
        reader, writer = full_pipe()
        running = s.start(stdout=writer)
        wait_for(lambda: "exit 0" in running.err(), 20, "the end")
        s.run()
        assert running.up(), "its answer has gone through"
        time.sleep(0.3)
        running.send(number)
        assert running.process.wait(5) == code, running.process.returncode
        os.close(reader)
        os.close(writer)


# ---- the journal held by another process


HOLD = """
import sqlite3, sys, time
journal = sqlite3.connect(sys.argv[1], isolation_level=None)
journal.execute("pragma busy_timeout = 20000")
journal.execute("begin immediate")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


def hold(s, seconds):
    """Another process that has the journal to itself for so long."""
    holder = subprocess.Popen([sys.executable, "-c", HOLD, s.folder / "state" / "journal.db", str(seconds)],
                              stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    return holder


def quiet_while_held(s, holder, seconds):
    """Nobody is dialed for so long, and it is told who has the journal."""
    time.sleep(0.5)
    posts = len(s.world.posts)
    time.sleep(seconds)
    assert s.running.up(), f"it ended: {s.running.end(1)}"
    assert len(s.world.posts) == posts, f"{len(s.world.posts) - posts} dialed while the journal was held"
    assert str(holder.pid) in s.running.err(), f"{holder.pid} is not named: {s.running.err()[-800:]}"


for name, held, quiet in (("", 8, 6), ("_for_minutes", 80, 75)):
    @scenario(25, talk=0.5, slow=held > 60, name=f"journal_held{name}")
    def journal_held(s, held=held, quiet=quiet):
        """Another process holds the journal for a while: nobody is dialed, calls are followed, then it goes on."""
        s.start(until=8)
        holder = hold(s, held)
        quiet_while_held(s, holder, quiet)
        s.ends()
        holder.wait()


@scenario(40, talk=0.2, steady=True, latency=0.3)
def journal_held_and_full(s):
    """The same, and the pool fills up meanwhile: not one dial into the reserve when the journal is free again."""
    s.start(ONE_BY_ONE + "--in-doubt 30s --post-timeout 8s", until=3)
    for turn in range(3):
        time.sleep(0.5 + 0.1 * turn)
        holder = hold(s, 3.5)
        time.sleep(0.7)
        fill(s.world, 2, 5)
        before = len(s.world.posts)
        holder.wait()
        time.sleep(1.2)
        none_into_the_reserve(s.world.posts[before:], turn)
        time.sleep(1.5)
    s.ends(0, within=90)


for name, signals, code in (("int_twice", (INT, INT), 130), ("term", (TERM,), 143), ("hup", (HUP,), 129)):
    @scenario(25, talk=0.5, name=f"journal_held_and_{name}")
    def journal_held_and_a_signal(s, signals=signals, code=code):
        """Signals are heard while another process holds the journal."""
        s.start(until=8)
        holder = hold(s, 30)
        time.sleep(0.5)
        posts = len(s.world.posts)
        for number in signals:
            s.running.send(number)
            time.sleep(0.3)
        s.ends(code, f"len(posts) == {posts}", within=10)
        holder.kill()
        holder.wait()
        s.run()


@scenario(25, talk=0.5)
def journal_held_by_a_stopped_run(s):
    """A sibling that was stopped in the middle of what it writes: whoever waits for it says so, and hears signals."""
    s.leads(25, "second.csv", 100)
    s.start(until=3)
    first, holder = s.running, hold(s, 60)
    holder.send_signal(STOP)
    time.sleep(0.5)
    for number, code in ((TERM, 143), (INT, 4), (HUP, 129)):
        second = s.start(leads="second.csv")
        time.sleep(3.5)
        assert second.up() and str(holder.pid) in second.err(), f"{holder.pid} is not named: {second.err()}"
        second.send(number)
        s.ends(code, running=second, within=3)
    pause = s.command("pause leads")
    time.sleep(3.5)
    assert pause.up() and str(holder.pid) in pause.err(), f"{holder.pid} is not named: {pause.err()}"
    pause.kill()
    holder.kill()
    holder.wait()
    s.ends(running=first)


@scenario(30, talk=0.5)
def lock_held_by_a_stopped_look(s):
    """A process that was stopped while it holds a shared look at the campaign's lock: a start says who, and ends."""
    s.start("--limit 3").end()
    lock = next((s.folder / "state" / "locks").iterdir())
    holder = subprocess.Popen([sys.executable, "-c", "import fcntl, sys, time; file = open(sys.argv[1]); "
                               "fcntl.flock(file, fcntl.LOCK_SH); print('held', flush=True); time.sleep(60)", lock],
                              stdout=subprocess.PIPE, text=True)
    holder.stdout.readline()
    s.run("", None, f"'{holder.pid}' in ended.err or '{holder.pid}' in ended.out", "ended.code in (1, 6)", timeout=20)
    s.note(f"exit {s.ended.code} after {s.ended.seconds:.1f} s")
    holder.kill()
    holder.wait()
    s.run()


# ---- a new state directory


def begun(s, turn, *lists):
    """Both start on a new state directory at once; the provider is a new one, too."""
    world = s.standin(talk=0.05, steady=True)
    runs = [s.start(leads=name, world=world, state=f"state-{turn}") for name in lists]
    ended = [s.ends(None, running=running) for running in runs]
    assert not any("damaged" in end.err + end.out for end in ended), f"turn {turn}: {ended[0]}\n{ended[1]}"
    return world, ended


@scenario()
def begun_together(s):
    """Two campaigns that start on a new state directory at once, twenty times: both do their work."""
    people = s.leads(2, "one.csv") + s.leads(2, "two.csv", 40)
    for turn in range(20):
        world, ended = begun(s, turn, "one.csv", "two.csv")
        assert [end.code for end in ended] == [0, 0], f"turn {turn}: {ended[0]}\n{ended[1]}"
        s.once(people, world)


@scenario()
def begun_twice(s):
    """The same campaign twice, twenty times: one works, one exits with 6, or comes when it is done."""
    people = s.leads(2)
    for turn in range(20):
        world, ended = begun(s, turn, "leads.csv", "leads.csv")
        assert sorted(end.code for end in ended) in ([0, 6], [0, 0]), f"turn {turn}: {ended[0]}\n{ended[1]}"
        s.once(people, world)


# ---- a journal that goes, or is another


def moved(folder):
    folder.rename(folder.with_name("state-moved"))


def replaced(folder):
    """A backup is put back: files of the same names."""
    shutil.copytree(folder, folder.with_name("backup"))
    shutil.rmtree(folder)
    shutil.copytree(folder.with_name("backup"), folder)


for name, happens in {
    "deleted": lambda folder: (folder / "journal.db").unlink(),
    "deleted_with_its_log": lambda folder: [path.unlink() for path in folder.glob("journal.db*")],
    "log_deleted": lambda folder: [(folder / f"journal.db-{part}").unlink() for part in ("wal", "shm")],
    "directory_deleted": shutil.rmtree,
    "directory_moved": moved,
    "replaced": replaced,
    "emptied": lambda folder: (folder / "journal.db").write_bytes(b""),
}.items():
    @scenario(40, once=None, talk=0.4, name=f"journal_{name}")
    def journal_gone(s, happens=happens):
        """The journal goes under a live run: exit 1, and hardly anybody more is dialed."""
        s.start("--rate 10/s", until=6)
        happens(s.folder / "state")
        posts = len(s.world.posts)
        s.ends(1, f"len(posts) <= {posts} + 1", "max(rings.values()) == 1", within=20)


for flags, what in (("", "run"), ("--wait", "waiting")):
    @scenario(40, once=None, talk=0.4, name=f"journal_copied_while_{what}")
    def journal_copied(s, flags=flags):
        """A copy of the state directory is started while the original runs: 6, and nobody twice."""
        first = s.start(f"--rate 10/s {flags}", until=6)
        shutil.copytree(s.folder / "state", s.folder / "copy")
        second = s.start("--rate 10/s", state="copy")
        s.ends(6, "ended.seconds < 5", running=second)
        s.ends(0, "max(rings.values()) == 1", running=first)
        s.once()


@scenario(40, once=None, talk=0.4)
def journal_copied_and_gone_on_with(s):
    """The copy is gone on with when the original is done: what it does not know is found in the listing."""
    first = s.start("--rate 10/s", until=6)
    shutil.copytree(s.folder / "state", s.folder / "copy")
    s.ends(0, running=first)
    s.run("--wait", None, "max(rings.values()) == 1", state="copy")
    s.once()
