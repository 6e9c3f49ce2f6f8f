import type { PluginClient } from "@synthesis/protocol/plugin-client";
import * as z from "zod";
import type { ClaudeTurns } from "./claude-turns.ts";
import type { HookEvent, HookOutput } from "./hook-event.ts";
import { sessionSuggestions } from "./session-suggestions.ts";
import { SharedAsk } from "./shared-ask.ts";

const MAX_INPUT_CHARS = 1024 * 1024;
const MAX_SUGGESTIONS = 16;
const TOO_LONG = `A call longer than ${MAX_INPUT_CHARS} characters cannot be put to a person: do it in smaller steps.`;

/** What Claude Code asks of a channel. `input_preview` is the start of the input, as JSON. */
const ChannelRequest = z.looseObject({
  request_id: z.string(),
  tool_name: z.string(),
  description: z.string().optional(),
  input_preview: z.string().optional(),
});

const REQUEST_METHOD = "notifications/claude/channel/permission_request";
const VERDICT_METHOD = "notifications/claude/channel/permission";

type Event<Name> = Extract<HookEvent, { event: Name }>;

/**
 * Passes on what Claude wants a permission for while it is at a message of the bridge's. Claude's own dialog, where
 * there is one, stays open meanwhile: who answers first wins.
 */
export class PermissionRelay {
  readonly #client: PluginClient;
  readonly #turns: ClaudeTurns;
  readonly #notify: (method: string, params: object) => void;
  readonly #open = new Map<string, SharedAsk>();
  /** Claude Code tells both its hooks and its channels; a hook knows the whole input. */
  #source: "channel" | "hooks" = "channel";

  constructor(client: PluginClient, turns: ClaudeTurns, notify: (method: string, params: object) => void) {
    this.#client = client;
    this.#turns = turns;
    this.#notify = notify;
  }

  /** Hooks are at work in this Claude: what it asks of the channel, they have asked. */
  preferHooks(): void {
    this.#source = "hooks";
  }

  /** Nothing: whoever sits at Claude's terminal decides, or else its permission mode. */
  async onHook(request: Event<"PermissionRequest">, signal: AbortSignal): Promise<HookOutput> {
    const { tool, input } = request;
    if (this.#turns.answering === undefined) return {};
    const key = JSON.stringify([tool, input]);
    if (key.length > MAX_INPUT_CHARS) return decided({ behavior: "deny", message: TOO_LONG });
    const suggestions = sessionSuggestions(request.suggestions).slice(0, MAX_SUGGESTIONS);
    const verdict = await this.#askedAs(key, { tool, input }).join(suggestions, signal);
    const { behavior, message, updated_input, suggestion } = verdict;
    if (behavior === "deny") return decided({ behavior, message: message ?? "Denied." });
    const chosen = suggestion === undefined ? undefined : suggestions[suggestion];
    return decided({
      behavior,
      ...(updated_input === undefined ? {} : { updatedInput: updated_input }),
      ...(chosen === undefined ? {} : { updatedPermissions: [chosen] }),
    });
  }

  /** The tool was used: somebody else has allowed it. */
  onUsed({ tool, input }: Event<"PostToolUse">): void {
    this.#open.get(JSON.stringify([tool, input]))?.noteUse();
  }

  /** A notification of Claude's. */
  async onNotification(method: string, params: unknown): Promise<void> {
    const request = method === REQUEST_METHOD ? ChannelRequest.safeParse(params) : undefined;
    if (!request?.success || this.#source === "hooks" || this.#turns.answering === undefined) return;
    const { request_id, tool_name: tool, description, input_preview } = request.data;
    const input = input_preview === undefined ? {} : { input_preview };
    const title = description === undefined ? {} : { title: description.slice(0, 1024) };
    const { behavior } = await this.#client.ask({ tool, input, ...title });
    this.#notify(VERDICT_METHOD, { request_id, behavior });
  }

  /** Calls at once that are the same share what is asked. */
  #askedAs(key: string, call: Pick<Event<"PermissionRequest">, "tool" | "input">): SharedAsk {
    const open = this.#open.get(key);
    if (open !== undefined) return open;
    const asked = new SharedAsk(
      async (suggestions, withdrawn) => this.#client.ask({ ...call, suggestions }, withdrawn),
      () => this.#open.delete(key),
    );
    this.#open.set(key, asked);
    return asked;
  }
}

function decided(decision: object): HookOutput {
  return { hookSpecificOutput: { hookEventName: "PermissionRequest", decision } };
}
