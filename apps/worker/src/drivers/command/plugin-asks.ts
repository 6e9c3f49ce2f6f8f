import { isDeepStrictEqual } from "node:util";
import type { Ask, AskVerdict, Verdict } from "@synthesis/protocol";
import { oneLine } from "../../asks/one-line.ts";
import { answeredInput, questionAsk } from "../../asks/question-ask.ts";
import type { AskRequest, TurnEvents } from "../agent-process.ts";
import { sessionRules, wordsOfRule } from "../headless/session-rules.ts";

/** So many verdicts are said again to a plugin that missed them. */
const MAX_SETTLED = 64;
const MAX_TITLE = 300;

interface Taken {
  readonly ask: Ask;
  readonly turnId: string;
  readonly withdrawn: AbortController;
  /** Once there is one. */
  verdict?: Verdict;
}

/** What a plugin asks a person: each ask once, however often it is said, with one verdict (P-17). */
export class PluginAsks {
  readonly #send: (verdict: Verdict) => void;
  readonly #workspace: string;
  /** By id; those without a verdict are as many as can be asked at once. */
  readonly #taken = new Map<string, Taken>();

  /** `send` may lose a verdict where nobody is connected: it is said again with the ask. */
  constructor(send: (verdict: Verdict) => void, workspace: string) {
    this.#send = send;
    this.#workspace = workspace;
  }

  /** Without a turn that runs nobody is asked. */
  take(ask: Ask, turn: { readonly id: string; readonly events: TurnEvents } | undefined): void {
    const { id, tool } = ask;
    if (turn === undefined) {
      const message = `no turn runs, so nobody can be asked whether ${tool} may be used`;
      return this.#send({ type: "verdict", id, behavior: "deny", message });
    }
    const known = this.#taken.get(id);
    if (known !== undefined && isSame(known, ask, turn.id)) {
      if (known.verdict !== undefined) this.#send(known.verdict);
      return;
    }
    this.withdraw(id); // the plugin gave its id to another one
    const taken: Taken = { ask, turnId: turn.id, withdrawn: new AbortController() };
    this.#keep(taken);
    const { request, suggestion } = this.#read(ask);
    void turn.events.onAsk(request, taken.withdrawn.signal).then((said) => {
      if (this.#taken.get(id) !== taken) return;
      taken.verdict = verdictOf(id, request, said, suggestion);
      this.#send(taken.verdict);
    });
  }

  /** The plugin does not need the verdict any more. */
  withdraw(id: string): void {
    const taken = this.#taken.get(id);
    this.#taken.delete(id);
    taken?.withdrawn.abort();
  }

  #keep(taken: Taken): void {
    this.#taken.set(taken.ask.id, taken);
    const settled = [...this.#taken].filter(([, { verdict }]) => verdict !== undefined);
    for (const [id] of settled.slice(0, -MAX_SETTLED)) this.#taken.delete(id);
  }

  /** `always` is the first suggestion that is, as it stands, nothing but rules for the session. */
  #read({ tool, input, title = "", suggestions = [] }: Ask): {
    readonly request: AskRequest;
    readonly suggestion: number;
  } {
    const asked = questionAsk(tool, input);
    if (asked !== undefined) return { request: asked, suggestion: -1 };
    const updates = suggestions.map((each) => sessionRules([each], this.#workspace)[0]);
    const suggestion = updates.findIndex((update, index) => isDeepStrictEqual(update, suggestions[index]));
    const always = updates[suggestion]?.rules.map(wordsOfRule) ?? [];
    const words = oneLine(title === "" ? tool : title, MAX_TITLE);
    return { request: { kind: "permission", tool, title: words, input, always }, suggestion };
  }
}

function verdictOf(id: string, request: AskRequest, said: AskVerdict, suggestion: number): Verdict {
  const { behavior, message } = said;
  if (behavior === "deny")
    return { type: "verdict", id, behavior, ...(message === undefined ? {} : { message }) };
  return {
    type: "verdict",
    id,
    behavior: "allow",
    ...(request.kind === "question" ? { updated_input: answeredInput(request, said) } : {}),
    ...(behavior === "always" ? { suggestion } : {}),
  };
}

/** Another ask under the same id is another one: it is not allowed by the verdict on the first. */
function isSame({ ask, turnId }: Taken, again: Ask, turnNow: string): boolean {
  return turnId === turnNow && isDeepStrictEqual([ask.tool, ask.input], [again.tool, again.input]);
}
