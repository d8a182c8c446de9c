"""How a scenario is written: as a function, or as a row of a table made of steps.

Each has a stand-in of its own (`world`: its settings), a list of `people`, and at its end nobody on it was called
twice and everybody was called: `once` says otherwise (`missing`, `doubled`, or None where that is not the point).
"""

import shutil
import time

SCENARIOS = {}


class Scenario:
    def __init__(self, steps, people=0, world=None, once=(), slow=False, alone=False):
        self.steps, self.people, self.world, self.slow, self.alone = steps, people, world or {}, slow, alone
        self.allowed = None if once is None else dict(once)

    def play(self, bench):
        bench.standin(**self.world)
        bench.people = bench.leads(self.people) if self.people else []
        for step in self.steps:
            step(bench)
        if self.allowed is not None and bench.people:
            bench.once(**self.allowed)


def scenario(people=0, once=(), slow=False, alone=False, name=None, **world):
    """The function that follows is a scenario of its name."""
    def known(function):
        SCENARIOS[name or function.__name__] = Scenario([function], people, world, once, slow, alone)
        return function
    return known


def case(name, _what, people, world, *steps, **more):
    """A scenario that is but steps, one after the other."""
    SCENARIOS[name] = Scenario(steps, people, world, **more)


def step(name):
    return lambda *given, **more: lambda bench: getattr(bench, name)(*given, **more)


run, start, ends, keeps, holds, once, tell, leads, write = map(step, (
    "run", "start", "ends", "keeps", "holds", "once", "tell", "leads", "write"))


def put(**settings):
    """The provider is different from here on."""
    return lambda bench: vars(bench.world).update(settings)


def send(*numbers, apart=0.3):
    """Signals to the run."""
    def sent(bench):
        for nth, number in enumerate(numbers):
            time.sleep(apart if nth else 0)
            bench.running.send(number)
    return sent


def kill():
    return lambda bench: bench.running.kill()


def lose(folder):
    return lambda bench: shutil.rmtree(bench.folder / folder)


def rest(seconds):
    return lambda _: time.sleep(seconds)


def mark(**expressions):
    """These values have names from here on."""
    return lambda bench: bench.marks.update({name: eval(text, bench.names()) for name, text in expressions.items()})


def note(text):
    """Shown beside the name, `{}` filled in with what `holds` knows."""
    return lambda bench: bench.note(eval(f"f{text!r}", bench.names()))
