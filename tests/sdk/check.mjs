// The provider's TypeScript client against the sandbox. It hands JSON through unread; so what came is written into a
// TypeScript file, where the compiler holds it against the client's types.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Vapi, VapiClient, VapiError } from "@vapi-ai/server-sdk";

const { VAPI_BASE_URL: baseUrl, VAPI_API_KEY: token, VAPI_ASSISTANT_ID: assistantId, VAPI_PHONE_NUMBER_ID: phoneNumberId } =
    process.env;
const client = new VapiClient({ token, baseUrl });
const typed = [];

async function place(customer, more = {}) {
    for (let tries = 0; ; tries++) {
        try {
            return await client.calls.create({ assistantId, phoneNumberId, customer, ...more });
        } catch (error) {
            const full = error instanceof Vapi.BadRequestError && error.body.message === "Over Concurrency Limit";
            if (!full || tries > 200) throw error;
            await sleep(100);
        }
    }
}

async function ended(id) {
    for (let tries = 0; tries < 400; tries++) {
        const call = await client.calls.get({ id });
        if (call.status === "ended" && call.artifact) return call;
        await sleep(100);
    }
    throw new Error(`call ${id} did not end`);
}

const ids = [];
for (let n = 0; n < 8; n++) {
    const { subscriptionLimits, ...call } = await place({ number: `+1415555020${n}`, externalId: "attempt" }, { name: `n${n}` });
    assert.equal(call.status, "queued");
    assert.equal(subscriptionLimits.concurrencyLimit, 4);
    typed.push(["Vapi.Call", call], ["Vapi.SubscriptionLimits", subscriptionLimits]);
    ids.push(call.id);
}
for (const id of ids) typed.push(["Vapi.Call", await ended(id)]);

const batch = await client.calls.create({ assistantId, phoneNumberId, customers: [{ number: "+14155550210" }, { number: "+1" }] });
typed.push(["Vapi.CallBatchResponse", batch]);

await assert.rejects(place({ number: "none" }), (error) => error instanceof Vapi.BadRequestError && error.body.message[0].includes("E.164"));
const stranger = new VapiClient({ token: "wrong", baseUrl });
await assert.rejects(stranger.calls.list(), (error) => error instanceof VapiError && error.statusCode === 401);

const listed = await client.calls.list({ createdAtGe: new Date(Date.now() - 3_600_000).toISOString(), limit: 1000 });
assert.ok(ids.every((id) => listed.some((call) => call.id === id)));
for (const call of listed) typed.push(["Vapi.Call", call]);
assert.equal((await client.calls.update({ id: ids[0], name: "renamed" })).name, "renamed");
assert.equal((await client.calls.delete({ id: ids[0] })).id, ids[0]);
await assert.rejects(client.calls.get({ id: ids[0] }), (error) => error.statusCode === 404);

const operations = [{ operation: "sum", column: "duration" }, { operation: "count", column: "id" }];
const used = await client.analytics.get({ queries: [{ name: "Use", table: "call", groupBy: ["status"], operations }] });
assert.ok(used[0].result.some((row) => row.status === "ended" && row.sumDuration > 0));
typed.push(["Vapi.AnalyticsQueryResult", used[0]]);

typed.push(["Vapi.Assistant", await client.assistants.get({ id: assistantId })]);
typed.push(["Vapi.Squad", await client.squads.get({ id: "crew" })]);
for (const one of await client.assistants.list()) typed.push(["Vapi.Assistant", one]);
for (const one of await client.phoneNumbers.list()) typed.push(["Vapi.ListPhoneNumbersResponseItem", one]);
typed.push(["Vapi.GetPhoneNumbersResponse", await client.phoneNumbers.get({ id: "vapi-free" })]);

const lines = typed.map(([type, value], nth) => `export const v${nth}: ${type} = ${JSON.stringify(value)};`);
writeFileSync(process.argv[2], ['import type { Vapi } from "@vapi-ai/server-sdk";', ...lines, ""].join("\n"));
console.log(`typescript: ok, ${typed.length} answers to be held against their types`);
