"""The provider as the stand-in pretends it: its calls, its pool, what it tells, and a ledger of what really happened."""

import json
import random
import re
import threading
import time
import uuid
from datetime import datetime, timezone

ORG = "11111111-1111-4111-8111-111111111111"
R01 = "call.start.error-subscription-concurrency-limit-reached"
SETTINGS = {
    "slots": 10,
    "key": "any",
    "talk": 0.5,  # seconds a call lasts after its ring, on the average
    "ring": (0.05, 0.15),
    "steady": False,  # every call lasts exactly `talk`
    "inbound": 0.0,  # callers a second
    "inbound_talk": 0.8,
    "web": 0.0,  # web calls a second, listed
    "others": 0.0,  # calls a second of another organisation: they take slots and nobody lists them
    "order": "oldest",  # oldest, newest, any
    "refuse_as": "limits",
    "full": 0.0,  # how often a request is refused for the pool whatever is free
    "faults": {},  # fate -> probability
    "limits": 1.0,  # how many answers carry subscriptionLimits
    "minus_one": 0.0,  # how many of those say -1
    "strings": False,  # numbers come as strings
    "date": True,
    "date_offset": 0.0,  # seconds that its Date is off its own stamps
    "whole_seconds": False,  # stamps without milliseconds
    "chunked": False,
    "close": False,
    "hang_up_idle": False,  # closes kept connections without a word
    "skew": 0.0,  # seconds that its clock is ahead
    "late_list": 0.0,  # seconds until a call is listed
    "late_count": 0.0,  # seconds from a call's stamp until it takes its slot
    "credit": 10**9,  # calls until there is no credit left
    "rate_limit": 0,  # the next so many POSTs get a 429
    "retry_after": None,
    "moves": [],  # (calls, slots): the limit after so many calls of ours
    "bad": {},  # a number -> (status, body)
    "dead_lines": {},  # a phone number id -> (status, body) of requests from it
    "gone_lines": [],  # phone number ids that the pre-flight does not find
    "gone_assistants": [],
    "daily": {},  # a phone number id -> calls until its daily limit
    "reasons": {"customer-ended-call": 4, "assistant-ended-call": 3, "voicemail": 1, "customer-did-not-answer": 1,
                "silence-timed-out": 1},
    "latency": 0.0,  # seconds until any answer, after what was asked has been done
    "slow_for": 2.7,  # seconds until the answer of a slow one
    "script": None,  # (n, body) -> a fate, a (status, body), or None
    "odd": None,  # (handler, method, path) -> True where it has taken the answer over
    "becomes": None,  # (n, call) -> what else is so of the call that the n-th request made
    "shows": None,  # (call, row, where) -> the row as it is told: "answer", "list" or "one"
    "node": None,  # (method, path) -> seconds that the clock of whoever answers this is off
    "seed": 1,
}
KNOWN = {
    "assistantId", "assistantVersion", "assistant", "assistantOverrides", "squadId", "squad", "squadOverrides",
    "workflowId", "workflow", "workflowOverrides", "phoneNumberId", "phoneNumber", "customer", "customerId", "name",
    "schedulePlan", "transport", "metadata", "type",
}
FILTERS = {f"{stamp}{bound}" for stamp in ("createdAt", "updatedAt") for bound in ("Gt", "Lt", "Ge", "Le")}
UNANSWERED = {"customer-did-not-answer", "customer-busy", R01}
FULL = "Over Concurrency Limit"
NO_CREDIT = {"message": ["You have run out of credits. Please purchase more to continue."], "statusCode": 400}
DAILY = {"message": "Couldn't Start Call. Numbers Bought On Vapi Have A Daily Outbound Call Limit. Import Your Own "
                    "Twilio Numbers To Scale Without Limits.", "error": "Bad Request", "statusCode": 400}
E164 = {"message": ["customer.number must be a valid phone number in the E.164 format. Hot tip, you may be missing the "
                    "country code (Eg. US: +1)."], "error": "Bad Request", "statusCode": 400}
KEY = {"message": "Invalid Key. Hot tip, you may be using the private key instead of the public key, or vice versa.",
       "error": "Unauthorized", "statusCode": 401}


class World:
    """The provider: its calls, its pool, and what it was asked."""

    def __init__(self, **settings):
        unknown = set(settings) - set(SETTINGS)
        if unknown:
            raise TypeError(f"no such settings: {unknown}")
        self.__dict__.update({name: settings.get(name, value) for name, value in SETTINGS.items()})
        self.lock = threading.RLock()
        self.dice = random.Random(self.seed)
        self.calls, self.posts, self.flaws, self.requests = [], [], [], []
        self.refused = self.away = self.callers_seen = 0
        self.off = 0.0
        self.streams = {kind: time.time() + self.gap(rate) for kind, rate in self.rates().items()}

    def rates(self):
        return {"inboundPhoneCall": self.inbound, "webCall": self.web, "other": self.others}

    def gap(self, rate):
        return self.dice.expovariate(rate) if rate > 0 else 1e12

    # ---- the pool, as it truly is

    def up(self, at=None):
        at = at or time.time()
        return sum(1 for call in self.calls if call["counted"] <= at < call["end"] and not call["blocked"])

    def free(self, at=None):
        return self.slots - self.up(at)

    def traffic(self):
        """The calls of others that began since anybody last looked, in the order of their beginnings."""
        while True:
            kind = min(self.streams, key=self.streams.get)
            at = self.streams[kind]
            if at > time.time():
                return
            self.streams[kind] = at + self.gap(self.rates()[kind])
            self.callers_seen += kind == "inboundPhoneCall"
            if self.free(at) > 0:
                self.bear(kind, {"customer": {"number": "+13105550199"}}, at)
            else:
                self.away += kind == "inboundPhoneCall"

    def bear(self, kind, body, began=None, blocked=False, lasts=None):
        began = began or time.time()
        ring = self.dice.uniform(*self.ring)
        mean = self.talk if kind == "outboundPhoneCall" else self.inbound_talk
        talk = mean if self.steady else self.dice.expovariate(1 / mean) if mean else 0
        names = list(self.reasons)
        reason = self.dice.choices(names, [self.reasons[name] for name in names])[0]
        end = began + (0.3 if blocked else lasts if lasts is not None else ring + talk)
        call = {
            "id": str(uuid.UUID(int=self.dice.getrandbits(128), version=4)), "type": kind, "began": began,
            "ring": began + ring / 2, "answer": began + ring, "end": end, "blocked": blocked,
            "reason": R01 if blocked else reason, "body": body, "listed": began + self.late_list,
            "counted": began + self.late_count, "off": self.off if kind == "outboundPhoneCall" else 0.0,
        }
        if kind == "outboundPhoneCall" and self.becomes:
            call |= self.becomes(len(self.posts), call) or {}
        self.calls.append(call)
        return call

    # ---- what it tells

    def number(self, value):
        return str(value) if self.strings else value

    def stamp(self, at):
        text = datetime.fromtimestamp(at + self.skew, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        return (text[:-4] if self.whole_seconds else text) + "Z"

    def row(self, call):
        now, status, updated = time.time(), "queued", call["began"] + call["off"]
        rung = not call["blocked"] and call["reason"] != R01
        row = {"somethingNew": {"nobody": ["knows", 1, None]}, "orgId": ORG, "monitor": None, "costs": None,
               "analysis": None, "messages": []}
        if now >= call["end"]:
            status, updated = "ended", call["end"]
            row |= {"endedAt": self.stamp(call["end"]), "endedReason": call["reason"], "cost": self.number(0.03)}
        elif rung and now >= call["answer"] and call["reason"] not in UNANSWERED:
            status, updated = "in-progress", call["answer"]
        elif rung and now >= call["ring"]:
            status, updated = "ringing", call["ring"]
        if status != "ended":
            row["cost"] = self.number(0)
        if rung and now >= call["answer"] and call["reason"] not in UNANSWERED:
            row["startedAt"] = self.stamp(call["answer"])
            row["artifact"] = {"messages": [{"role": "bot", "message": "hello"}, {"role": "user", "message": "yes?"}]}
        echo = {key: call["body"][key] for key in ("name", "customer", "assistantId", "phoneNumberId",
                                                   "assistantOverrides") if key in call["body"]}
        return row | echo | {"id": call["id"], "type": call["type"], "status": status,
                             "createdAt": self.stamp(call["began"] + call["off"]), "updatedAt": self.stamp(updated)}

    def told(self, call, where):
        row = self.row(call)
        return self.shows(call, row, where) if self.shows else row

    def limits_now(self, blocked=False):
        remaining = 0 if blocked else max(0, self.free())
        if not blocked and self.dice.random() < self.minus_one:
            remaining = -1
        return {"concurrencyBlocked": blocked, "concurrencyLimit": self.number(self.slots),
                "remainingConcurrentCalls": self.number(remaining)}

    def list(self, query):
        limit = int(query.get("limit", ["100"])[0])
        if not 0 <= limit <= 1000:
            return 400, {"message": ["limit must not be greater than 1000"], "error": "Bad Request", "statusCode": 400}
        unknown = set(query) - FILTERS - {"limit", "id", "assistantId", "phoneNumberId"}
        if unknown:
            return 400, {"message": [f"property {name} should not exist" for name in unknown], "statusCode": 400}
        now = time.time()
        # A first look at what cannot be meant, so that thousands of old calls cost little; then row by row.
        since = max((instant(query[name][0]) for name in query if name[-2:] in ("Gt", "Ge")), default=0) - self.skew - 2
        rows = [self.row(call) for call in self.calls
                if call["listed"] <= now and call["type"] != "other" and min(call["end"], now) >= since]
        for name in FILTERS & set(query):
            bound, field, at = name[-2:], name[:-2], instant(query[name][0])
            keep = {"Gt": lambda t: t > at, "Lt": lambda t: t < at, "Ge": lambda t: t >= at, "Le": lambda t: t <= at}
            rows = [row for row in rows if keep[bound](instant(row[field]))]
        for name in {"id", "assistantId", "phoneNumberId"} & set(query):
            rows = [row for row in rows if row.get(name) == query[name][0]]
        rows.sort(key=lambda row: row["createdAt"], reverse=self.order == "newest")
        if self.order == "any":
            self.dice.shuffle(rows)
        if self.shows:
            calls = {call["id"]: call for call in self.calls}
            rows = [self.shows(calls[row["id"]], row, "list") for row in rows]
        return 200, rows[:limit]

    # ---- what it is asked to do

    def inspect(self, body, headers):
        """What is wrong with a request to place a call, whatever becomes of it."""
        customer = body.get("customer") or {}
        variables = (body.get("assistantOverrides") or {}).get("variableValues") or {}
        for place in ("squadOverrides", "workflowOverrides"):
            variables = variables or (body.get(place) or {}).get("variableValues") or {}
        mark = body.get("name")
        checks = {
            "the attempt id is in three places": mark and mark == customer.get("externalId")
            == variables.get("dialer_attempt_id"),
            "the attempt id has its form": re.fullmatch(r"d[0-9a-z]{8}-[0-9A-Za-z_-]+", mark or ""),
            "nothing is longer than 40": all(len(customer.get(key) or "") <= 40 for key in ("name", "externalId", "email"))
            and len(mark or "") <= 40,
            "there is an E.164 number": re.fullmatch(r"\+[1-9][0-9]{6,14}", customer.get("number") or ""),
            "there is one target": sum(key in body for key in ("assistantId", "squadId", "workflowId")) == 1,
            "there is one line": isinstance(body.get("phoneNumberId"), str),
            "no field is unknown": not set(body) - KNOWN,
            "it is JSON by its type": "application/json" in (headers.get("content-type") or ""),
            "it was never sent before": mark not in {post["name"] for post in self.posts},
        }
        self.flaws += [f"not so: {check}: {json.dumps(body)}" for check, holds in checks.items() if not holds]
        return mark

    def place(self, body, headers):
        """What becomes of a request: (status, body, what becomes of the answer)."""
        mark = self.inspect(body, headers)
        number = (body.get("customer") or {}).get("number")
        line = body.get("phoneNumberId")
        post = {"name": mark, "number": number, "at": time.time(), "line": line, "fate": None, "body": body}
        self.posts.append(post)
        n = len(self.posts)
        fate = self.script(n, body) if self.script else None
        for name, chance in self.faults.items():
            fate = fate or (name if self.dice.random() < chance else None)
        post["fate"] = fate if isinstance(fate, str) else fate and fate[0]
        if isinstance(fate, tuple):
            return (*fate, "whole")
        if number in self.bad:
            return (*self.bad[number], "whole")
        if line in self.dead_lines:
            return (*self.dead_lines[line], "whole")
        if self.rate_limit > 0:
            self.rate_limit -= 1
            return 429, {"message": "Rate limit exceeded", "statusCode": 429}, "whole"
        ours = sum(1 for call in self.calls if call["type"] == "outboundPhoneCall" and not call["blocked"])
        if ours >= self.credit:
            return 400, NO_CREDIT, "whole"
        if line in self.daily:
            self.daily[line] -= 1
            if self.daily[line] < 0:
                return 400, DAILY, "whole"
        for calls, slots in self.moves:
            if ours >= calls:
                self.slots = slots
        post["free"] = self.free()
        if self.free() <= 0 or self.dice.random() < self.full:
            self.refused += 1
            return self.refuse(body)
        before, after = {
            "html-before": (522, "<html><title>522: Connection timed out</title></html>"),
            "500-before": (500, {"message": "Internal server error", "statusCode": 500}),
            "empty-before": (502, ""), "408-before": (408, {"message": "Request Timeout"}),
            "409-before": (409, {"message": "Conflict"}), "drop-before": (0, ""), "200-before": (200, "<html>hello</html>"),
        }, {
            "html-after": (522, "<html><title>522: Connection timed out</title></html>"),
            "500-after": (500, {"message": "Internal server error", "statusCode": 500}),
            "empty-after": (503, ""), "408-after": (408, ""), "409-after": (409, ""), "200-after": (200, "hello"),
            "201-empty": (201, ""), "201-array": (201, []), "201-null": (201, "null"), "drop-after": (0, ""),
            "reset-after": (-1, ""), "cut": (-2, ""), "slow": (-3, ""), "late-create": (-4, ""),
        }
        if fate in before:
            status, answer = before[fate]
            return status, answer, "whole" if status else "drop"
        if fate == "late-create":
            call = self.bear("outboundPhoneCall", body, time.time() + 1)
            return 0, "", "drop"
        post["created"] = True
        call = self.bear("outboundPhoneCall", body)
        if fate in after and after[fate][0] > 0:
            return (*after[fate], "whole")
        row = self.told(call, "answer")
        if self.dice.random() < self.limits:
            row["subscriptionLimits"] = self.limits_now()
        return 201, row, {"drop-after": "drop", "reset-after": "reset", "cut": "cut", "slow": "slow"}.get(fate, "whole")

    def refuse(self, body):
        how, error = self.refuse_as, {"error": "Bad Request", "statusCode": 400}
        limits = {"subscriptionLimits": self.limits_now(True)}
        plain = {
            "text": (400, {"message": FULL} | error),
            "limits": (400, {"message": FULL} | error | limits),
            "error": (400, {"error": FULL}),
            "array": (400, {"message": [f"{FULL}."]} | error),
            "nested": (403, {"error": {"error": limits}, "message": []}),
            "429": (429, {"message": FULL, "statusCode": 429}),
            "text429": (429, "over concurrency limit"),
        }
        if how in plain:
            return (*plain[how], "whole")
        call = self.bear("outboundPhoneCall", body, blocked=True)
        row = self.row(call)
        if how == "flag":
            row["subscriptionLimits"] = self.limits_now(True)
        elif how == "flag-ended":
            row |= limits | {"status": "ended", "endedAt": self.stamp(time.time()), "endedReason": R01}
            call["end"] = call["began"]
        elif how == "ended":
            row |= {"status": "ended", "endedAt": self.stamp(time.time()), "endedReason": R01}
            call["end"] = call["began"]
        elif how == "later":
            row["subscriptionLimits"] = self.limits_now() | {"remainingConcurrentCalls": self.number(0)}
        return 201, row, "whole"

    # ---- what truly happened

    def ours(self):
        return [call for call in self.calls if call["type"] == "outboundPhoneCall" and not call["blocked"]
                and not call["body"].get("foreign")]

    def calls_of(self, number):
        calls = [call for call in self.ours() if call["body"]["customer"]["number"] == number]
        return sorted(calls, key=lambda call: call["began"])

    def rings(self):
        """How often each person's phone rang."""
        rings = {}
        for call in self.ours():
            number = call["body"]["customer"]["number"]
            rings[number] = rings.get(number, 0) + 1
        return rings

    def tight(self, reserve, known=False):
        """How many dials found no more than the reserve free, of how many.

        `known`: by what could be known of the pool. No answer that the dialer had by then can have told of a caller
        who came less than `latency` before.
        """
        dials = [post for post in self.posts if post.get("created")]
        return sum(1 for post in dials if post["free"] + (self.untold(post["at"]) if known else 0) <= reserve), len(dials)

    def untold(self, at):
        return sum(1 for call in self.calls
                   if call["type"] != "outboundPhoneCall" and at - self.latency < call["began"] <= at < call["end"])

    def busy(self, reserve):
        """The part of the slots that were to be had which our calls held, from our first dial to our last."""
        ours = self.ours()
        if len(ours) < 2:
            return 1.0
        begin, stop = ours[0]["began"], ours[-1]["began"]
        times = sorted({t for c in self.calls if not c["blocked"] for t in (c["began"], c["end"])
                        if begin <= t <= stop} | {begin, stop})
        held = had = 0.0
        for left, right in zip(times, times[1:]):
            up = [c for c in self.calls if c["began"] <= left < c["end"] and not c["blocked"]]
            mine = sum(1 for c in up if c["type"] == "outboundPhoneCall")
            held += mine * (right - left)
            had += max(mine, self.slots - reserve - (len(up) - mine)) * (right - left)
        return held / had if had else 1.0

    def ledger(self):
        return {"rings": self.rings(), "posts": len(self.posts), "refused": self.refused, "away": self.away,
                "flaws": self.flaws, "free_at_dials": [post["free"] for post in self.posts if post.get("created")]}


def instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
