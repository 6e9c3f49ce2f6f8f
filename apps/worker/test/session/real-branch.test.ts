import { EMPTY_TRANSCRIPT } from "@synthesis/protocol";
import { claudeEnv, expectClean, MessagesStandIn, pinnedClaude, reply, tempFolder } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { answered, asked, goingOn, say } from "../support/chat.ts";
import { TestWorkspace } from "../support/test-workspace.ts";

expectClean();

const timeout = 90_000;

/** A workspace of the real CLI, and what its API was told. */
async function start() {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await tempFolder());
  const api = stack.use(await MessagesStandIn.start());
  const options = { folder, claudeBin: pinnedClaude(), claudeEnv: claudeEnv(api, folder.path) };
  const space = stack.use(await TestWorkspace.start(options));
  const told = () => api.conversations.at(-1)?.history.map(({ text }) => text);
  return { space, api, told, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test(
  "W-14: a chat that is edited, asked again, branched and begun anew has the right history each time",
  { timeout },
  async () => {
    await using run = await start();
    const { space, told } = run;
    const one = await say(space, "one", EMPTY_TRANSCRIPT);
    const two = await say(space, "two", one.point);
    expect(told()).toEqual(["one", one.answer, "two"]);
    const edited = await say(space, "two, but better", one.point);
    expect(told()).toEqual(["one", one.answer, "two, but better"]);
    const three = await say(space, "three", edited.point);
    expect(told()).toEqual(["one", one.answer, "two, but better", edited.answer, "three"]);
    await say(space, "three", edited.point); // regenerated
    expect(told()).toEqual(["one", one.answer, "two, but better", edited.answer, "three"]);
    expect((await say(space, "x", two.point)).outcome.state).toBe("refused");

    const child = await say(space, "aside", edited.point, { session: "child", branchOf: "s" });
    expect(told()).toEqual(["one", one.answer, "two, but better", edited.answer, "aside"]);
    await say(space, "four", three.point);
    expect(told()?.slice(-3)).toEqual(["three", three.answer, "four"]);
    await say(space, "more", child.point, { session: "child" });
    expect(told()?.slice(-3)).toEqual(["aside", child.answer, "more"]);
    await say(space, "back", one.point, { session: "child" }); // to a point that it inherited
    expect(told()).toEqual(["one", one.answer, "back"]);

    await say(space, "all new", EMPTY_TRANSCRIPT);
    expect(told()).toEqual(["all new"]);
  },
);

test(
  "W-13: after a turn that was cut a chat goes on with what there was of the answer, or without, and can go back there",
  { timeout },
  async () => {
    await using run = await start();
    const { space, api, told } = run;
    const one = await say(space, "one", EMPTY_TRANSCRIPT);
    const cut = async (after: string) => {
      api.next(reply.stall(["half ", "of it"]));
      const turn = space.submit("long", goingOn("long", after));
      await turn.untilText("half of it");
      space.workspace.cancel(turn.id, "the client left");
      await turn.outcome;
      return { prompt: asked("long", after), partial: answered(asked("long", after), turn.answer) };
    };
    const { prompt, partial } = await cut(one.point);
    const kept = await say(space, "and?", partial);
    expect(kept.outcome.state).toBe("completed");
    expect(told()?.slice(0, 4)).toEqual(["one", one.answer, "long", "half of it"]);
    expect(told()?.at(-1)).toMatch(/and\?$/);
    const back = await say(space, "or?", partial, { session: "child", branchOf: "s" });
    expect(back.outcome.state).toBe("completed");
    expect(told()).toEqual(["one", one.answer, "long", "half of it", expect.stringMatching(/or\?$/)]);
    await say(space, "no, this", prompt, { session: "other", branchOf: "s" });
    expect(told()).toEqual(["one", one.answer, expect.stringMatching(/^long\n[^]*no, this$/)]);
    const dropped = await cut(kept.point);
    const last = await say(space, "so?", dropped.prompt);
    expect(last.outcome.state).toBe("completed");
    expect(told()?.filter((text) => text === "half of it")).toHaveLength(2); // Claude knows what happened
  },
);
