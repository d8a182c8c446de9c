"""The binary against the second stand-in, from outside: `python3 tests/standin/check.py path/to/dialer [scenario...]`.

Prints one line for each scenario, and exits with 1 where any failed. One that fails beside others is tried once more,
alone, since it may only have been short of time; one in which a promise was broken is not. `--list` names them,
`--jobs N` runs so many at once, `--slow` adds those that take minutes, `--keep` keeps the folders of those that failed.
"""

import argparse
import concurrent.futures
import signal
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.dont_write_bytecode = True

import scenarios_calls  # noqa: E402, F401
import scenarios_database  # noqa: E402, F401
import scenarios_doubt  # noqa: E402, F401
import scenarios_held  # noqa: E402, F401
import scenarios_messages  # noqa: E402, F401
import scenarios_servers  # noqa: E402, F401
import scenarios_several  # noqa: E402, F401
import scenarios_sizes  # noqa: E402, F401
import scenarios_stops  # noqa: E402, F401
import scenarios_together  # noqa: E402, F401
import scenarios_trouble  # noqa: E402, F401
import scenarios_wrong  # noqa: E402, F401
from bench import Bench, Wrong  # noqa: E402
from scenario import SCENARIOS  # noqa: E402


def attempt(binary, name, scenario, keep):
    bench, began, wrong = Bench(binary), time.time(), None
    try:
        scenario.play(bench)
        bench.flawless()
    except Wrong as error:
        wrong = str(error) or repr(error)
    except Exception:
        wrong = traceback.format_exc()
    seconds, notes = time.time() - began, "; ".join(bench.notes)
    lines = [f"{'FAILED' if wrong else 'ok':6} {name:34} {seconds:5.1f} s  {notes}"]
    lines += ["       " + line for line in (wrong or "").splitlines()]
    lines += [f"       kept: {bench.folder}"] if wrong and keep else []
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
    bench.close(keep and wrong)
    return wrong


def is_broken_promise(wrong):
    # What follows is the run's output, which has these words always.
    return any(words in wrong.splitlines()[0] for words in ("more than once", "not on the list", "was called", "reserve", "dial"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("scenario", nargs="*", help="names, or beginnings of names")
    parser.add_argument("--jobs", type=int, default=6)
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--list", action="store_true")
    args = parser.parse_intermixed_args()
    chosen = {name: scenario for name, scenario in SCENARIOS.items()
              if (any(name.startswith(wanted) for wanted in args.scenario) if args.scenario
                  else args.slow or not scenario.slow)}
    if args.list:
        print("\n".join(chosen))
        return 0
    # Whoever starts this with hang-ups ignored, as nohup does, is not to hand that on.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    began = time.time()
    alone = {name: scenario for name, scenario in chosen.items() if scenario.alone}
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as crowd:
        done = {name: crowd.submit(attempt, args.binary, name, scenario, args.keep)
                for name, scenario in chosen.items() if name not in alone}
        wrongs = {name: one.result() for name, one in done.items()}
    again = [name for name, wrong in wrongs.items() if wrong and not is_broken_promise(wrong)]
    for name, scenario in chosen.items():
        if name in alone or name in again:
            wrongs[name] = attempt(args.binary, name, scenario, args.keep)
    held = sum(not wrong for wrong in wrongs.values())
    print(f"{held} of {len(wrongs)} held, {len(again)} of them tried twice, in {time.time() - began:.0f} s")
    return 0 if held == len(wrongs) else 1


if __name__ == "__main__":
    sys.exit(main())
