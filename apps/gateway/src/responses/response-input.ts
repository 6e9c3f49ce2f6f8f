import { printable } from "@synthesis/kit";
import type { TranscriptCall } from "@synthesis/protocol";
import { readId, readObject, readString, type Fields } from "../turn-request/read-fields.ts";
import { refuse } from "../turn-request/read-shape.ts";
import type { Message } from "../turn-request/turn-request.ts";
import { readParts, readTextParts } from "./input-part.ts";
import { turnOf } from "./response-id.ts";

/** The input of a request for a response, as messages. */
export interface ResponseInput {
  readonly messages: readonly Message[];
  /** Texts of its system and developer messages. */
  readonly instructions: readonly string[];
  /** The turn that the last item belongs to that is only referred to. The messages go on from there. */
  readonly previousTurn: string | undefined;
  /** Paths of what has no effect. */
  readonly ignored: readonly string[];
}

/** Throws `invalid_request` naming the item. */
export function readInput(input: string | readonly unknown[]): ResponseInput {
  if (typeof input === "string") {
    const messages: Message[] = [{ role: "user", parts: [{ type: "text", text: input }] }];
    return { messages, instructions: [], previousTurn: undefined, ignored: [] };
  }
  const items = new InputItems();
  for (const [index, item] of input.entries()) items.add(item, `input.${index}`);
  return items;
}

class InputItems implements ResponseInput {
  readonly messages: Message[] = [];
  readonly instructions: string[] = [];
  readonly ignored: string[] = [];
  previousTurn: string | undefined;

  add(value: unknown, at: string): void {
    const item = readObject(value, at);
    const type = item["type"] ?? "message";
    switch (type) {
      case "message":
        return this.#message(item, at);
      case "function_call":
        return this.#assistant("", [callOf(item, at)]);
      case "function_call_output": {
        const call = readId(item["call_id"], `${at}.call_id`);
        const parts = readParts(item["output"], `${at}.output`);
        return void this.messages.push({ role: "tool", call, parts, isError: false });
      }
      case "item_reference":
        return this.#reference(readString(item["id"], `${at}.id`), at);
      case "reasoning": // of the agent's, which needs it from nobody
        if (!this.ignored.includes("input.reasoning")) this.ignored.push("input.reasoning");
        return;
      default:
        refuse(
          `${at}.type`,
          `items of type "${printable(String(item["type"]))}" are not taken: send messages, function calls and their outputs`,
        );
    }
  }

  #message({ role, content }: Fields, at: string): void {
    const path = `${at}.content`;
    switch (role) {
      case "user":
        return void this.messages.push({ role, parts: readParts(content, path) });
      case "assistant":
        return this.#assistant(readTextParts(content, path, ""), []);
      case "system":
      case "developer":
        return void this.instructions.push(readTextParts(content, path, "\n"));
      default:
        refuse(`${at}.role`, "must be user, assistant, system or developer");
    }
  }

  /** One answer is several items here, one after the other; of one that is referred to, some may come as they are. */
  #assistant(text: string, calls: readonly TranscriptCall[]): void {
    if (this.previousTurn !== undefined && this.messages.length === 0) return;
    if (text === "" && calls.length === 0) return; // no answer
    const last = this.messages.at(-1);
    if (last?.role !== "assistant") this.messages.push({ role: "assistant", text, calls });
    else
      this.messages[this.messages.length - 1] = {
        role: "assistant",
        text: last.text + text,
        calls: [...last.calls, ...calls],
      };
  }

  /** An item of an earlier response stands for that response, and with it for all that was said before. */
  #reference(id: string, at: string): void {
    const turn = turnOf(id);
    if (turn === undefined)
      refuse(`${at}.id`, "this names no item of a response of this server: send the item itself");
    this.previousTurn = turn;
    this.messages.length = 0;
  }
}

function callOf({ call_id: id, name, arguments: json }: Fields, at: string): TranscriptCall {
  return {
    id: readId(id, `${at}.call_id`),
    name: readString(name, `${at}.name`),
    arguments: readString(json, `${at}.arguments`),
  };
}
