import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { oneLine } from "@synthesis/kit";
import type { Ask, AskVerdict, Verdict } from "@synthesis/protocol";
import type { AskRequest } from "../../asks/ask-request.ts";
import type { PendingAsk } from "../../asks/pending-ask.ts";
import type { TurnEvents } from "../agent-process.ts";
import { answeredInput, questionAsk } from "../claude/question-ask.ts";
import { toldVerdict, type KeepRules } from "../claude/keep-rules.ts";
import type { PermissionRule } from "../claude/permission-rule.ts";
import { sessionRules, wordsOfRule } from "../claude/session-rules.ts";

/** So many verdicts are said again to a plugin that missed them. */
const MAX_SETTLED = 64;
const MAX_TITLE = 300;

interface Taken {
  /** Of what is asked: it may be large, and is kept longer than the ask is open. */
  readonly digest: string;
  readonly pending: PendingAsk;
  /** Once there is one. */
  verdict?: Verdict;
}

/** What a plugin asks a person: each ask once, however often it is said, with one verdict (P-17). */
export class PluginAsks {
  readonly #send: (verdict: Verdict) => void;
  readonly #workspace: string;
  readonly #keepRules: KeepRules;
  /** By id; those without a verdict are as many as can be asked at once. */
  readonly #taken = new Map<string, Taken>();

  /** `send` may lose a verdict where nobody is connected: it is said again with the ask. */
  constructor(send: (verdict: Verdict) => void, workspace: string, keepRules: KeepRules) {
    this.#send = send;
    this.#workspace = workspace;
    this.#keepRules = keepRules;
  }

  /** Without a turn that runs nobody is asked. */
  take(ask: Ask, turn: { readonly id: string; readonly events: TurnEvents } | undefined): void {
    const { id, tool } = ask;
    if (turn === undefined) {
      const message = `no turn runs, so nobody can be asked whether ${tool} may be used`;
      return this.#send({ type: "verdict", id, behavior: "deny", message });
    }
    const digest = digestOf(ask, turn.id);
    const known = this.#taken.get(id);
    if (known?.digest === digest) {
      if (known.verdict !== undefined) this.#send(known.verdict);
      return;
    }
    this.withdraw(id); // the plugin gave its id to another one
    const { request, suggestion, rules } = this.#read(ask);
    const taken: Taken = { digest, pending: turn.events.onAsk(request) };
    this.#keep(id, taken);
    void taken.pending.verdict.then((said) => {
      if (this.#taken.get(id) !== taken) return;
      taken.verdict = verdictOf(id, request, toldVerdict(said, rules, this.#keepRules), suggestion);
      this.#send(taken.verdict);
    });
  }

  /** The plugin does not need the verdict any more. */
  withdraw(id: string): void {
    const taken = this.#taken.get(id);
    this.#taken.delete(id);
    taken?.pending.withdraw();
  }

  #keep(id: string, taken: Taken): void {
    this.#taken.set(id, taken);
    const settled = [...this.#taken].filter(([, { verdict }]) => verdict !== undefined);
    for (const [old] of settled.slice(0, -MAX_SETTLED)) this.#taken.delete(old);
  }

  /** `always` is the first suggestion that is, as it stands, nothing but rules for the session. */
  #read({ tool, input, title = "", suggestions = [] }: Ask): {
    readonly request: AskRequest;
    readonly suggestion: number;
    readonly rules: readonly PermissionRule[];
  } {
    const asked = questionAsk(tool, input);
    if (asked !== undefined) return { request: asked, suggestion: -1, rules: [] };
    const updates = suggestions.map((each) => sessionRules([each], this.#workspace)[0]);
    const suggestion = updates.findIndex((update, index) => isDeepStrictEqual(update, suggestions[index]));
    const rules = updates[suggestion]?.rules ?? [];
    const always = rules.map(wordsOfRule);
    const words = oneLine(title === "" ? tool : title, MAX_TITLE);
    return { request: { kind: "permission", tool, title: words, input, always }, suggestion, rules };
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

/** Another ask under the same id, or in another turn, is another one: it is not allowed by the verdict on the first. */
function digestOf({ tool, input }: Ask, turnId: string): string {
  const asked = JSON.stringify([turnId, tool, input]);
  return createHash("sha256").update(asked).digest("base64");
}
