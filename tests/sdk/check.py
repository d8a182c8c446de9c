"""The provider's Python client against the sandbox: every answer parses into the type that it should."""

import datetime as dt
import os
import time

from vapi import Vapi
from vapi.core.api_error import ApiError
from vapi.errors import BadRequestError
from vapi.types import Assistant, Call, CallBatchResponse

base, key = os.environ["VAPI_BASE_URL"], os.environ["VAPI_API_KEY"]
assistant, line = os.environ["VAPI_ASSISTANT_ID"], os.environ["VAPI_PHONE_NUMBER_ID"]
client = Vapi(token=key, base_url=base)
began = dt.datetime.now(dt.timezone.utc) - dt.timedelta(minutes=1)


def place(number, **more):
    return client.calls.create(
        assistant_id=assistant,
        phone_number_id=line,
        customer={"number": number, "externalId": "attempt"},
        assistant_overrides={"variableValues": {"city": "Porto"}},
        **more,
    )


def ended(id):
    for _ in range(400):
        call = client.calls.get(id)
        if call.status == "ended" and call.artifact is not None:
            return call
        time.sleep(0.1)
    raise SystemExit(f"call {id} did not end: {call}")


call = place("+14155550101", name="first")
assert isinstance(call, Call) and call.status == "queued" and call.type == "outboundPhoneCall", call
assert call.customer.external_id == "attempt" and call.name == "first", call
assert call.subscriptionLimits["concurrencyLimit"] == 4, call
assert isinstance(call.created_at, dt.datetime) and abs(call.created_at - dt.datetime.now(dt.timezone.utc)) < dt.timedelta(minutes=1)
assert call.monitor.control_url.startswith(base), call.monitor

batch = client.calls.create(
    assistant_id=assistant,
    phone_number_id=line,
    customers=[{"number": f"+1415555011{n}"} for n in range(6)],
)
assert isinstance(batch, CallBatchResponse), batch
assert len(batch.results) + len(batch.errors) == 6 and batch.errors, batch
assert batch.subscription_limits.concurrency_limit == 4, batch

try:
    for n in range(5):
        place(f"+1415555012{n}")
    raise SystemExit("the pool was never full")
except BadRequestError as full:
    assert full.body["message"] == "Over Concurrency Limit", full.body
    assert full.body["subscriptionLimits"]["concurrencyBlocked"] is True, full.body

try:
    place("4155550101")
    raise SystemExit("a number that is none was taken")
except BadRequestError as wrong:
    assert "E.164" in wrong.body["message"][0], wrong.body

try:
    Vapi(token="wrong", base_url=base).calls.list()
    raise SystemExit("a wrong key was taken")
except ApiError as wrong:
    assert wrong.status_code == 401 and wrong.body["message"].startswith("Invalid Key"), wrong

over = ended(call.id)
assert over.ended_reason and over.ended_at >= over.created_at, over
assert over.started_at is None or (over.cost >= 0 and over.analysis is not None and over.artifact.messages), over

listed = client.calls.list(created_at_ge=began, limit=1000)
assert all(isinstance(row, Call) for row in listed) and call.id in {row.id for row in listed}, listed
assert [row.created_at for row in listed] == sorted((row.created_at for row in listed), reverse=True)
assert client.calls.list(created_at_lt=began) == []

assert client.calls.update(call.id, name="renamed").name == "renamed"
assert client.calls.delete(call.id).id == call.id
try:
    client.calls.get(call.id)
    raise SystemExit("an erased call was read")
except ApiError as gone:
    assert gone.status_code == 404, gone

used = client.analytics.get(
    queries=[
        {
            "name": "Use",
            "table": "call",
            "groupBy": ["endedReason"],
            "operations": [{"operation": "count", "column": "id"}],
        },
        {
            "name": "Concurrency",
            "table": "subscription",
            "timeRange": {"step": "minute"},
            "operations": [{"operation": "max", "column": "concurrency", "alias": "concurrency"}],
        },
    ]
)
assert used[0].name == "Use" and sum(row["countId"] for row in used[0].result) > 0, used
assert max(row["concurrency"] for row in used[1].result) == 4, used

assert isinstance(client.assistants.get(assistant), Assistant)
assert [one.id for one in client.assistants.list()] == [assistant]
assert client.phone_numbers.get(line).provider == "twilio" and client.phone_numbers.get(line).status == "active"
assert client.phone_numbers.get("vapi-free").provider == "vapi"
assert [one.id for one in client.phone_numbers.list()] == [line]
assert client.squads.get("crew").id == "crew"
print("python: ok")
