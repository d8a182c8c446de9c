"""Everything that may befall a run, one thing after the other by a seed, while answers are lost: nobody twice."""

import random
import shutil
import time

from bench import CONT, KILL, STOP, TERM, need, wait_for
from scenario import scenario
from scenarios_held import hold

STORM = {"drop-after": 0.06, "drop-before": 0.05, "reset-after": 0.03, "html-after": 0.03, "500-before": 0.03,
         "cut": 0.03, "slow": 0.02, "empty-after": 0.02}


class Trouble:
    """What befalls a run, one thing after the other, drawn from a seed."""

    def __init__(self, s, seed):
        self.s, self.dice, self.suppressed = s, random.Random(seed), {}

    def killed(self):
        self.s.running.kill()
        self.s.start("--wait")

    def terminated(self):
        self.s.running.send(TERM)
        self.s.ends(None, within=15)
        self.s.start("--wait")

    def stopped(self):
        self.s.running.send(STOP)
        time.sleep(self.dice.choice((0.2, 1.3, 2.6)))
        self.s.running.send(CONT)

    def held(self):
        holder = hold(self.s, self.dice.uniform(0.3, 3))
        holder.wait()

    def paused(self):
        self.s.tell("pause leads")
        time.sleep(0.4)
        before = len(self.s.world.posts)
        time.sleep(0.6)
        need(len(self.s.world.posts) == before, "dialed while paused")
        self.s.tell("resume leads")

    def unlisted(self):
        self.s.world.odd = lambda handler, method, path: method == "GET" and (handler.reply(503, ""), True)[1]
        time.sleep(self.dice.uniform(0.3, 1.5))
        self.s.world.odd = None

    def moved(self):
        self.s.world.slots = self.dice.choice((6, 8, 10, 14))

    def asked(self):
        """Somebody who was not called yet asks not to be."""
        left = [number for number in self.s.people if number not in {post["number"] for post in self.s.world.posts}]
        if left:
            number = self.dice.choice(left)
            self.s.tell(["suppress", number])
            self.suppressed[number] = time.time()

    def lost(self):
        """The journal is lost: the next start says so, and takes the calls over when it is told to."""
        self.s.running.kill()
        shutil.rmtree(self.s.folder / "state")
        self.s.start("--wait")
        self.s.ends(6, within=20)
        self.s.start("--wait --adopt")

    def backed_up(self):
        self.s.running.kill()
        shutil.rmtree(self.s.folder / "backup", ignore_errors=True)
        shutil.copytree(self.s.folder / "state", self.s.folder / "backup")
        self.s.start("--wait")

    def restored(self):
        """A backup is put back: it knows nothing of the calls since."""
        if (self.s.folder / "backup").exists():
            self.s.running.kill()
            shutil.rmtree(self.s.folder / "state")
            shutil.copytree(self.s.folder / "backup", self.s.folder / "state")
            self.s.start("--wait")

    def befall(self, seconds, pause, *kinds):
        told, until = [], time.time() + seconds
        while time.time() < until and self.s.running.up():
            kind = self.dice.choice(kinds)
            told.append(kind)
            getattr(self, kind)()
            time.sleep(self.dice.uniform(*pause))
        self.s.note(" ".join(told))

    def ends(self):
        """It is run until everybody has been called."""
        for _ in range(6):
            self.s.ends(None, within=120)
            if self.s.ended.code in (0, 3):
                break
            time.sleep(1)
            self.s.start("--wait --adopt")
        need(self.s.ended.code == 0, str(self.s.ended))


WORLD = dict(talk=0.5, inbound=0.6, late_list=0.2, faults=STORM, order="any")

for seed in range(12):
    @scenario(150, once=None, name=f"all_together_{seed}", slow=seed > 1, seed=seed, **WORLD)
    def all_together(s, seed=seed):
        """Lost answers, kills, stops, a held journal, pauses, opt-outs, outages, limits that move: nobody twice, nobody lost."""
        s.start("--wait", until=1)
        trouble = Trouble(s, seed)
        trouble.befall(25, (0.1, 0.8), "killed", "terminated", "stopped", "held", "paused", "unlisted", "moved", "asked")
        trouble.ends()
        s.once(missing=len(trouble.suppressed))
        late = [post for post in s.world.posts if post["at"] > trouble.suppressed.get(post["number"], 1e12) + 0.1]
        need(not late, f"called though suppressed: {late[:1]}")

    @scenario(150, once=None, name=f"all_together_and_lost_{seed}", slow=seed > 0, seed=seed, **WORLD)
    def all_together_and_lost(s, seed=seed):
        """The same with journals that are lost, and backups that are put back."""
        s.start("--wait", until=2)
        time.sleep(1)
        trouble = Trouble(s, seed)
        trouble.befall(30, (0.5, 2.5), "killed", "stopped", "held", "lost", "backed_up", "restored", "unlisted", "moved")
        trouble.ends()
        s.once()

    @scenario(once=None, name=f"all_together_of_two_{seed}", slow=seed > 0, seed=seed, **WORLD)
    def all_together_of_two(s, seed=seed):
        """Two campaigns with the same people: by each once, never at the same time, the reserve kept."""
        people, dice, told = s.leads(60, "one.csv"), random.Random(seed), []
        s.leads(60, "two.csv")
        runs = {}

        def begin(*names):
            runs.update({name: s.start(f"--wait --campaign {name}", leads=f"{name}.csv") for name in names})

        begin("one", "two")
        wait_for(lambda: len(s.world.posts) > 2, 15, "the third request")
        until = time.time() + 25
        while time.time() < until:
            name, kind = dice.choice(("one", "two")), dice.choice(("killed", "terminated", "stopped", "held", "both killed"))
            told.append(kind)
            s.running = runs[name]
            if kind in ("stopped", "held"):
                getattr(Trouble(s, dice.random()), kind)()
            elif kind == "both killed":
                [running.kill() for running in runs.values()]
                time.sleep(dice.uniform(0, 2))
                begin("one", "two")
            else:
                s.running.send(TERM if kind == "terminated" else KILL)
                s.running.end(15)
                begin(name)
            time.sleep(dice.uniform(0.2, 1.5))
        s.note(" ".join(told))
        for running in runs.values():
            s.ends(0, running=running, within=120)
        need(set(s.world.rings()) == set(people), "somebody was not called")
        for number in people:
            calls = s.world.calls_of(number)
            marks = {call["body"]["name"][:9] for call in calls}
            need(len(marks) == len(calls), f"{number} twice by one campaign")
            need(all(a["end"] <= b["began"] for a, b in zip(calls, calls[1:])), f"{number} was called while on the line")
        s.keeps(3)
