import { request, type IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import { once } from "node:events";
import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { ServedWorkspace } from "../support/served-workspace.ts";
import { hashOf, testCaller, testSubmit } from "../support/test-submit.ts";

expectClean();

/** What a worker's socket answers. */
async function call(served: ServedWorkspace, method: string, path: string, body?: object | string) {
  const { socketPath } = served.space.configuration;
  const asking = request({ socketPath, agent: false, method, path });
  asking.end(typeof body === "object" ? JSON.stringify(body) : body);
  const [response] = (await once(asking, "response")) as [IncomingMessage];
  return { status: response.statusCode, body: await json(response) };
}

const mine = `?caller=${testCaller}`;
const failure = (status: number, code: string) => ({ status, body: { error: { code } } });

test("W-20: an ask is told on the link, listed, and settled once, over the socket", async () => {
  await using served = await ServedWorkspace.start();
  await using gateway = await served.attach();
  const submit = testSubmit(crypto.randomUUID(), "!ask Write");
  gateway.say(submit);
  const { ask, seq } = await gateway.next("asked");
  const { id } = ask as { id: string };
  expect(await call(served, "GET", `/asks${mine}`)).toEqual({ status: 200, body: { asks: [ask] } });
  expect(await call(served, "GET", `/asks/${id}${mine}`)).toEqual({ status: 200, body: { ask } });
  const stranger = `?caller=${hashOf("another key")}`;
  expect(await call(served, "GET", `/asks${stranger}`)).toEqual({ status: 200, body: { asks: [] } });
  const verdict = { behavior: "allow", by: "cli" };
  expect(await call(served, "POST", `/asks/${id}${stranger}`, verdict)).toMatchObject(
    failure(404, "ask_not_found"),
  );
  expect(await call(served, "POST", `/asks/${crypto.randomUUID()}`, verdict)).toMatchObject(
    failure(404, "ask_not_found"),
  );
  for (const malformed of ["{", "[]", { behavior: "allow" }, { behavior: "allow", by: "deadline" }])
    expect(await call(served, "POST", `/asks/${id}${mine}`, malformed)).toMatchObject(
      failure(400, "invalid_request"),
    );
  const settled = { ask: id, behavior: "allow", by: "cli" };
  expect(await call(served, "POST", `/asks/${id}${mine}`, verdict)).toEqual({ status: 200, body: settled });
  expect(await call(served, "POST", `/asks/${id}${mine}`, { behavior: "deny", by: "api" })).toEqual({
    status: 409,
    body: { error: { code: "ask_settled", message: "the ask has its verdict: allow, by cli" } },
  });
  expect(await call(served, "GET", `/asks/${id}${mine}`)).toMatchObject(failure(409, "ask_settled"));
  const turn = submit.turn;
  expect(await gateway.next("ask_settled")).toEqual({
    type: "ask_settled",
    turn,
    seq: Number(seq) + 1,
    ...settled,
  });
  await gateway.next("ended");
  expect(gateway.numbersOf(turn)).toEqual(gateway.numbersOf(turn).map((_, index) => index + 1));
});

test("a way that the agent does not take is refused", async () => {
  await using served = await ServedWorkspace.start({ asks: { by: ["chat", "cli"] } });
  const turn = served.space.submit("!ask Write");
  const { id } = await turn.untilAsked();
  expect(await call(served, "POST", `/asks/${id}`, { behavior: "allow", by: "api" })).toMatchObject(
    failure(403, "ask_not_yours"),
  );
  served.space.workspace.cancel(turn.id, "over");
  await turn.outcome;
});

test("another method or path is not there", async () => {
  await using served = await ServedWorkspace.start();
  expect(await call(served, "DELETE", "/asks/x")).toMatchObject(failure(409, "not_found"));
  expect(await call(served, "POST", "/asks")).toMatchObject(failure(409, "not_found"));
});
