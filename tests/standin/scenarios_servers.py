"""Servers that leave out what the API is known to have: calls that are never listed, filters, routes, fields."""

import shutil
import time

from bench import need
from scenario import scenario


def not_found(handler, path):
    handler.reply(404, {"message": "Cannot GET " + path, "error": "Not Found", "statusCode": 404})
    return True


@scenario(12, talk=0.3, full=0.3, seed=7)
def blocked_calls_are_never_listed(s):
    """A full pool is told by a 201 with concurrencyBlocked whose call nobody knows afterwards: its lead is called."""
    world = s.world

    def refuse(body):
        call = world.bear("outboundPhoneCall", body, blocked=True)
        row = world.row(call)
        world.calls.remove(call)
        return 201, row | {"subscriptionLimits": world.limits_now(True)}, "whole"
    world.refuse = refuse
    s.run("--wait", 0, timeout=60)


@scenario(8, talk=0.3, script=lambda nth, body: "drop-before" if nth == 8 else None)
def the_assistant_names_no_organisation(s):
    """The last request is lost, and nothing says whose the assistant is: the listing of the same key proves absence."""
    def odd(handler, method, path):
        if not path.startswith(("/assistant", "/phone-number")):
            return False
        handler.reply(200, {"id": path.split("/")[-1], "provider": "twilio", "number": "+12065550100"})
        return True
    s.world.odd = odd
    s.run("--wait", 0, timeout=30)


@scenario(12, talk=0.3)
def created_filters_are_ignored(s):
    """A lost journal, --adopt, and a listing that gives every call whatever is asked for: the search ends."""
    whole = s.world.list
    s.world.list = lambda query: whole({"limit": ["1000"]})
    s.start("--rate 8/s", until=5)
    time.sleep(0.5)
    s.running.kill()
    shutil.rmtree(s.folder / "state")
    s.run("", 6)
    before = len(s.world.requests)
    s.start("--adopt --wait")
    s.ends(0, within=30)
    asked = len(s.world.requests) - before
    need(asked < 1_000, f"{asked} requests")


@scenario(10, talk=0.2, inbound=1.0, once=(),
          becomes=lambda nth, call: {"listed": call["began"] + 1 + nth * 7 % 11 * 0.5})
def listed_late_and_unknown_by_id(s):
    """Calls are over before they are listed, 1 to 6 s late, and none can be asked for by its id."""
    s.world.odd = lambda handler, method, path: \
        method == "GET" and path.startswith("/call/") and not_found(handler, path)
    s.run("--wait --in-doubt 8s", 0, timeout=60)


@scenario(20, talk=4.0, faults={"drop-after": 0.3}, seed=5, late_list=4.0)
def listed_later_than_in_doubt(s):
    """Calls are listed four seconds late and --in-doubt is one: while a call that is up is not listed, nobody is absent."""
    s.run("--wait --in-doubt 1s", 0, timeout=60)
