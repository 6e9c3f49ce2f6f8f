import type { ToolCallDelta } from "@synthesis/protocol";

interface MadeCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

/** The calls of an answer, put together from their pieces. */
export class MadeCalls {
  readonly #calls: MadeCall[] = [];

  add({ index, id, name, arguments: piece }: ToolCallDelta): void {
    const known = this.#calls[index];
    this.#calls[index] = {
      id: known?.id ?? id ?? "",
      type: "function",
      function: {
        name: known?.function.name ?? name ?? "",
        arguments: (known?.function.arguments ?? "") + piece,
      },
    };
  }

  /** In their order; undefined: there is none. */
  get all(): readonly MadeCall[] | undefined {
    return this.#calls.length === 0 ? undefined : this.#calls;
  }
}
