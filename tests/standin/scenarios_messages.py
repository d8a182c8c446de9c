"""Server messages: what they are worth where the listing shows ends late."""

import json
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

from bench import KEY, need, phone, wait_for
from scenario import scenario

SECRET = "messages-are-known-by-this"
LATE = 1.0  # ten polls
FLOOD = 15_000  # messages a second


def late_in_the_listing(world):
    """The listing goes on showing a call as up for a while; asked for by its id it is as it is."""
    def shows(call, row, where):
        if where == "list" and call["end"] <= time.time() < call["end"] + LATE and row["status"] == "ended":
            row = {key: value for key, value in row.items() if key not in ("endedAt", "endedReason")}
            row |= {"status": "in-progress", "updatedAt": world.stamp(call["answer"]), "cost": 0}
        return row
    world.shows = shows


def tell_of_ends(world, port, over):
    """Says of each of our calls that it is over, once, when it is."""
    told = set()
    while not over.is_set():
        with world.lock:
            ended = [call for call in world.ours() if call["end"] <= time.time() and call["id"] not in told]
        for call in ended:
            told.add(call["id"])
            message = {"type": "end-of-call-report", "endedReason": call["reason"], "call": {"id": call["id"]}}
            body = json.dumps({"message": message}).encode()
            headers = {"content-type": "application/json", "x-vapi-secret": SECRET}
            url = f"http://127.0.0.1:{port}/"
            urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=5).close()
        time.sleep(0.02)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@scenario(once=None, slow=True, alone=True)
def messages_where_the_listing_is_late(s):
    """The pace with ends ten polls late in the listing, with and without messages, and with a punctual listing."""
    (s.folder / "secret").write_text(SECRET)
    paces = {}
    for nth, (name, late, messages) in enumerate((("punctual", 0, 0), ("late", 1, 0), ("late, messages", 1, 1))):
        world = s.standin(talk=4.0, inbound=0.1, inbound_talk=6.0, seed=7)
        s.world, over, port = world, threading.Event(), free_port()
        s.leads(80, name=f"list-{nth}.csv")
        if late:
            late_in_the_listing(world)
        flags = f"--webhook 127.0.0.1:{port} --webhook-secret-file secret" if messages else ""
        running = s.start(flags, leads=f"list-{nth}.csv", world=world, state=f"state-{nth}", until=1)
        teller = threading.Thread(target=tell_of_ends, args=(world, port, over), daemon=True)
        if messages:
            teller.start()
        s.ends(0, running=running, within=150)
        over.set()
        tight, dials = world.tight(3)
        paces[name] = world.busy(3)
        s.note(f"{name}: busy {paces[name]:.1%}, {tight} of {dials} dials with 3 or fewer free, {s.ended.seconds:.0f} s")
    need(paces["late, messages"] > paces["late"], f"messages are worth nothing: {paces}")
    need(paces["late, messages"] > paces["punctual"] - 0.15, f"far from what a punctual listing gives: {paces}")


@scenario(once=None, slow=True, alone=True)
def messages_in_a_flood(s):
    """The pace and the reserve under a flood of messages, most of them about calls that are up or about none."""
    (s.folder / "secret").write_text(SECRET)
    paces, tights = {}, {}
    for nth, rate in enumerate((0, FLOOD)):
        world = s.standin(talk=2.0, inbound=0.2, inbound_talk=3.0, seed=8)
        s.world, port = world, free_port()
        s.leads(60, name=f"list-{nth}.csv")
        flags = f"--webhook 127.0.0.1:{port} --webhook-secret-file secret"
        running = s.start(flags, leads=f"list-{nth}.csv", world=world, state=f"state-{nth}", until=1)
        script = Path(__file__).with_name("flood.py")
        command = [sys.executable, script, str(port), SECRET, world.url, KEY, str(rate)]
        flooder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) if rate else None
        wait_for(lambda: len(world.posts) >= 50, 60, "the fiftieth request")
        came = int(flooder.communicate("")[0]) if flooder else 0
        s.ends(0, running=running, within=60)
        at = [call["counted"] for call in world.ours()]
        paces[rate], (tights[rate], dials) = 60 * len(at) / (max(at) - min(at)), world.tight(3)
        s.note(f"{came} messages a second: {paces[rate]:.0f} dials a minute, {tights[rate]} of {dials} with 3 or fewer free")
        need(came >= 0.6 * rate, f"only {came} messages a second were answered")
        s.once([phone(n) for n in range(60)], world)
    need(paces[FLOOD] > 0.9 * paces[0], f"dialing slowed down: {paces}")
    need(tights[FLOOD] <= tights[0] + 2, f"more dials into the reserve: {tights}")
