import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { WebSocket, type ClientOptions } from "ws";
import { ask } from "./support/chat.ts";
import { postRaw } from "./support/raw-http.ts";
import { Synthesis } from "./support/synthesis.ts";

expectClean();

/** The HTTP status with which a WebSocket upgrade is answered; 101 where it is accepted. */
async function upgradeStatus(url: string, options: ClientOptions = {}): Promise<number | undefined> {
  const socket = new WebSocket(url, options);
  socket.on("error", () => {});
  const refused = once(socket, "unexpected-response").then(([, response]) => Number(response.statusCode));
  const status = await Promise.race([refused, once(socket, "open").then(() => 101)]);
  socket.terminate();
  return status;
}

test("seed fault 9: strangers and web pages drive nothing: not over HTTP, not over the bridge, in no folder", async () => {
  await using synthesis = await Synthesis.start();
  await ask(synthesis, { model: "seed", session: "s", say: "hello" });
  const body = [JSON.stringify({ model: "seed", messages: [{ role: "user", content: "hi" }] })];
  const attempts = [
    [401, "invalid_api_key", { authorization: "" }],
    [401, "invalid_api_key", { authorization: "Bearer sk-synthesis-of-somebody-else" }],
    [415, "unsupported_media_type", { "content-type": "text/plain" }],
    [403, "origin_not_allowed", { origin: "https://evil.example" }],
    [403, "origin_not_allowed", { origin: "null" }],
    [421, "host_not_allowed", { host: "evil.example" }],
    [403, "workspace_not_allowed", { "x-openclaw-workspace": "/etc" }],
    [403, "workspace_not_allowed", { "x-openclaw-workspace": "../.." }],
  ] as const;
  for (const [status, code, headers] of attempts) {
    expect(await postRaw(synthesis, body, headers)).toMatchObject({ status, body: { error: { code } } });
  }

  const bridge = await bridgeUrl(synthesis);
  const withoutToken = bridge.split("?")[0] ?? "";
  expect(await upgradeStatus(withoutToken)).toBe(401);
  expect(await upgradeStatus(`${withoutToken}?token=guessed`)).toBe(401);
  expect(await upgradeStatus(bridge, { origin: "https://evil.example" })).toBe(403);
  expect(await upgradeStatus(bridge, { headers: { host: "evil.example" } })).toBe(421);
  expect(await upgradeStatus(bridge)).toBe(101);
  // None of them took the session's place.
  expect(await ask(synthesis, { model: "seed", session: "s", say: "again" })).toMatchObject({
    content: "seed: again",
  });
});

/** The URL that the one agent of alpha was given, token and all. */
async function bridgeUrl(synthesis: Synthesis): Promise<string> {
  const [agent] = synthesis.agents("alpha");
  const environment = await readFile(`/proc/${agent?.pid}/environ`, "utf8");
  return /SYNTHESIS_BRIDGE_URL=([^\0]+)/.exec(environment)?.[1] ?? "";
}
