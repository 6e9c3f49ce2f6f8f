import type { RecordedRequest } from "@synthesis/testkit";

/** What Claude Code calls a client's function. */
export function clientTool(name: string): string {
  return `mcp__synthesis_client__${name}`;
}

/** The client's functions that a request to the API offers, by their own names. */
export function offeredTools({ body }: RecordedRequest): readonly string[] {
  const prefix = clientTool("");
  return (body.tools ?? []).flatMap(({ name }) =>
    name.startsWith(prefix) ? [name.slice(prefix.length)] : [],
  );
}

/** What a request to the API has as results of calls, in order, as text. */
export function toolResults({ body }: RecordedRequest): readonly string[] {
  const parts = (body.messages ?? []).flatMap(({ content }) => (typeof content === "string" ? [] : content));
  return parts.flatMap(({ type, content }) => (type === "tool_result" ? [textOf(content)] : []));
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  const parts = content as readonly { readonly text?: string }[];
  return parts.map(({ text }) => text ?? "").join("\n");
}
