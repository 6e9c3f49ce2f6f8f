import { expect, test } from "vitest";
import { claudeEnv, expectClean, MessagesStandIn, pinnedClaude, reply, tempFolder } from "../src/index.ts";
import { StreamJsonProcess } from "./stream-json-process.ts";

expectClean();

test(
  "the real CLI converses with the stand-in, and an interrupt aborts its request",
  { timeout: 30_000 },
  async () => {
    await using folder = await tempFolder();
    await using api = await MessagesStandIn.start();
    await using claude = new StreamJsonProcess(pinnedClaude(), [], claudeEnv(api, folder.path), folder.path);
    expect(await claude.ask("hello")).toBe("standin says: hello");
    expect(await claude.ask("again")).toBe("standin says: again");
    expect(api.conversations.at(-1)?.history).toEqual([
      { role: "user", text: "hello" },
      { role: "assistant", text: "standin says: hello" },
      { role: "user", text: "again" },
    ]);

    const held = reply.gated();
    api.next(held.reply);
    const arrived = api.nextRequest();
    const uuid = claude.prompt("third");
    const request = await arrived;
    held.push("partial");
    await claude.line(({ event }) => JSON.stringify(event ?? "").includes("partial"));
    claude.send({ type: "control_request", request_id: "i", request: { subtype: "interrupt" } });
    await request.aborted;
    expect(await claude.result(uuid)).toMatchObject({ is_error: true, terminal_reason: "aborted_streaming" });

    expect(await claude.ask("fourth")).toBe("standin says: fourth");
    claude.child.stdin.end();
    expect(await claude.exit).toMatchObject({ code: 0 });
  },
);
