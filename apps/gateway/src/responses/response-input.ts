import { printable } from "@synthesis/kit";
import type { TranscriptCall } from "@synthesis/protocol";
import * as z from "zod";
import type { Message } from "../turn-request/turn-request.ts";
import { readShape, refuse } from "../turn-request/read-shape.ts";
import { readParts, readText } from "./input-part.ts";
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

const AnyItem = z.looseObject({ type: z.string().nullish() });
const MessageItem = z.looseObject({
  role: z.enum(["user", "assistant", "system", "developer"]),
  content: z.union([z.string(), z.array(z.unknown())], { error: "must be text or a list of parts" }),
});
const CallItem = z.looseObject({ call_id: z.string().min(1), name: z.string(), arguments: z.string() });
const OutputItem = z.looseObject({
  call_id: z.string().min(1),
  output: z.union([z.string(), z.array(z.unknown())], { error: "must be text or a list of parts" }),
});
const Reference = z.looseObject({ id: z.string() });

class InputItems implements ResponseInput {
  readonly messages: Message[] = [];
  readonly instructions: string[] = [];
  readonly ignored: string[] = [];
  previousTurn: string | undefined;

  add(item: unknown, at: string): void {
    const type = readShape(AnyItem, item, at).type ?? "message";
    switch (type) {
      case "message":
        return this.#message(item, at);
      case "function_call": {
        const { call_id: id, name, arguments: json } = readShape(CallItem, item, at);
        return this.#assistant("", [{ id, name, arguments: json }]);
      }
      case "function_call_output": {
        const { call_id: call, output } = readShape(OutputItem, item, at);
        const parts = readParts(output, `${at}.output`);
        return void this.messages.push({ role: "tool", call, parts, isError: false });
      }
      case "item_reference":
        return this.#reference(readShape(Reference, item, at).id, at);
      case "reasoning": // of the agent's, which needs it from nobody
        if (!this.ignored.includes("input.reasoning")) this.ignored.push("input.reasoning");
        return;
      default:
        refuse(
          `${at}.type`,
          `items of type "${printable(type)}" are not taken: send messages, function calls and their outputs`,
        );
    }
  }

  #message(item: unknown, at: string): void {
    const { role, content } = readShape(MessageItem, item, at);
    const path = `${at}.content`;
    if (role === "user") this.messages.push({ role, parts: readParts(content, path) });
    else if (role === "assistant") this.#assistant(readText(content, path), []);
    else this.instructions.push(readText(content, path));
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
