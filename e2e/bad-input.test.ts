import { mkdir, symlink } from "node:fs/promises";
import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { ask } from "./support/chat.ts";
import { postRaw } from "./support/raw-http.ts";
import { Synthesis } from "./support/synthesis.ts";

expectClean();

const user = (content: unknown) => ({ model: "echo", messages: [{ role: "user", content }] });

test("what is no chat request is answered by status, code and a message that names the fault", async () => {
  await using synthesis = await Synthesis.start({ limits: { bodyBytes: 10_000 } });
  const bodies: readonly (readonly [string, number, string, RegExp])[] = [
    ["{ not json", 400, "invalid_json", /JSON/],
    ["", 400, "invalid_json", /JSON/],
    ["[]", 400, "invalid_request", /body/],
    [JSON.stringify({ model: "echo" }), 400, "invalid_request", /messages/],
    [JSON.stringify({ model: "echo", messages: [] }), 400, "invalid_request", /messages/],
    [
      JSON.stringify({ model: "echo", messages: [{ role: "assistant", content: "hi" }] }),
      400,
      "invalid_request",
      /nothing to answer/,
    ],
    [JSON.stringify(user("  \n")), 400, "invalid_request", /messages: .*empty/],
    [JSON.stringify(user(7)), 400, "invalid_request", /messages\.0\.content/],
    [JSON.stringify(user([{ type: "image_url" }])), 400, "invalid_request", /image_url/],
    [JSON.stringify({ ...user("hi"), stream: "yes" }), 400, "invalid_request", /stream/],
    [JSON.stringify({ ...user("hi"), model: "gpt-4o" }), 404, "model_not_found", /"gpt-4o".*claude, .*echo/],
    [JSON.stringify({ ...user("hi"), model: undefined }), 404, "model_not_found", /no default agent.*echo/],
    [JSON.stringify(user("x".repeat(10_000))), 413, "body_too_large", /10000.*limits\.bodyBytes/],
  ];
  for (const [body, status, code, message] of bodies) {
    const answer = await postRaw(synthesis, [body]);
    expect([answer.status, answer.body.error?.code]).toEqual([status, code]);
    expect(answer.body.error?.message).toMatch(message);
    expect(answer.headers["x-request-id"]).toBeTypeOf("string");
  }

  const body = [JSON.stringify(user("hi"))];
  const headerCases = [
    [{ "x-openclaw-session-key": "k".repeat(600) }, 400, "invalid_request"],
    [{ "x-synthesis-on-disconnect": "maybe" }, 400, "invalid_request"],
    [{ "content-encoding": "gzip" }, 415, "unsupported_media_type"],
    [{ "x-openclaw-workspace": "nowhere" }, 403, "workspace_not_allowed"],
    [{ authorization: "Basic dXNlcjpwYXNz" }, 401, "invalid_api_key"],
  ] as const;
  for (const [headers, status, code] of headerCases) {
    expect(await postRaw(synthesis, body, headers)).toMatchObject({ status, body: { error: { code } } });
  }
  const get = await fetch(`${synthesis.endpoint}/v1/chat/completions`, {
    headers: { authorization: `Bearer ${synthesis.key}` },
  });
  expect([get.status, get.headers.get("allow")]).toEqual([405, "POST"]);
  await get.body?.cancel();
  expect(await synthesis.health()).toMatchObject({ ok: true, sessions: 0, processes: 0 });
  expect(await ask(synthesis, { model: "echo", say: "hi" })).toMatchObject({ content: "You said: hi" });
});

test("a folder below a root may be opened by name or path; one outside, or a link that leads out, may not", async () => {
  await using synthesis = await Synthesis.start({ config: { roots: ["./roots"] } });
  const { folder } = synthesis;
  await mkdir(folder.join("roots", "site"), { recursive: true });
  await symlink("/etc", folder.join("roots", "way-out"));
  const open = (workspace: string) =>
    ask(synthesis, { model: "echo", say: "hi", headers: { "x-openclaw-workspace": workspace } });
  for (const workspace of ["site", folder.join("roots", "site"), "alpha", folder.join("alpha")]) {
    expect(await open(workspace)).toMatchObject({ status: 200 });
  }
  for (const workspace of ["way-out", folder.join("roots"), folder.join("home"), "../home", "/", "~"]) {
    expect(await open(workspace)).toMatchObject({ status: 403, error: { code: "workspace_not_allowed" } });
  }
  expect((await synthesis.health()).workers).toHaveLength(2);
});

test("a workspace's folder or an agent's program that is missing is named, and the others work", async () => {
  await using synthesis = await Synthesis.start({
    agents: {
      missing: { workspace: "alpha", driver: "command", command: ["/nowhere/agent"] },
      hasty: { workspace: "alpha", driver: "command", command: ["true"] },
    },
    config: {
      workspaces: { alpha: { path: "./alpha" }, beta: { path: "./not-there" } },
    },
  });
  const answer = await ask(synthesis, { model: "seed-beta", say: "hi" });
  expect(answer).toMatchObject({ status: 404, error: { code: "workspace_not_found" } });
  expect(answer.error?.message).toContain('"beta"');
  expect(await ask(synthesis, { model: "seed", say: "hi" })).toMatchObject({ content: "seed: hi" });

  for (const [model, name] of [
    ["missing", "/nowhere/agent"],
    ["hasty", "true"],
  ] as const) {
    const failed = await ask(synthesis, { model, say: "hi" });
    expect(failed).toMatchObject({ status: 503, error: { code: "agent_unavailable" } });
    expect(failed.error?.message).toContain(name);
  }
});
