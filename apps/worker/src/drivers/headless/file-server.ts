import { basename } from "node:path";
import * as z from "zod";
import { mediaTypeOf } from "../../files/media-type.ts";
import type { TurnEvents } from "../agent-process.ts";
import type { HeadlessSettings } from "./claude-arguments.ts";
import { commonAnswer, mcpRefusal, mcpResult, type McpMessage } from "./mcp-message.ts";

/** What Claude knows this server by. */
export const FILE_SERVER = "synthesis";
/** The tool's name in Claude's rules. */
export const ATTACH_TOOL = `mcp__${FILE_SERVER}__attach_file`;

const AttachInput = z.object({ path: z.string().min(1).max(4096) });

const attachTool = {
  name: "attach_file",
  description:
    "Gives the user a file of this folder, such as an image or a report that you made. Only what is attached reaches them: they do not see your files.",
  inputSchema: {
    type: "object",
    properties: { path: { type: "string", description: "Path of the file, in the working directory" } },
    required: ["path"],
  },
  annotations: { readOnlyHint: true },
  _meta: { "anthropic/alwaysLoad": true }, // otherwise Claude knows its name only, and has to look it up
};

/** Whether a Claude process has the tool: one that answers a question beside all conversations has none. */
export function offersAttachTool(
  { files }: Pick<HeadlessSettings, "files">,
  { isStateless }: { readonly isStateless?: boolean | undefined },
): boolean {
  return files !== "off" && isStateless !== true;
}

/** The MCP server that lives in this process, by which one Claude attaches files to its answer. */
export class FileServer {
  readonly #events: () => TurnEvents | undefined;

  /** `events`: of the turn that runs. */
  constructor(events: () => TurnEvents | undefined) {
    this.#events = events;
  }

  /** The answer to one of Claude's messages. Never rejects. */
  async answer(message: McpMessage): Promise<object> {
    const { method, id, params } = message;
    const common = commonAnswer(message, FILE_SERVER);
    if (common !== undefined) return common;
    if (method === "tools/list") return mcpResult(id, { tools: [attachTool] });
    if (method !== "tools/call" || params?.name !== attachTool.name)
      return mcpRefusal(id, `${method} is not answered here`);
    const problem = await this.#attach(params.arguments);
    const text = problem === undefined ? "attached" : `not attached: ${problem}`;
    return mcpResult(id, { content: [{ type: "text", text }], isError: problem !== undefined });
  }

  async #attach(input: unknown): Promise<string | undefined> {
    const { data, error } = AttachInput.safeParse(input);
    if (error !== undefined) return z.prettifyError(error);
    const { path } = data;
    const attachment = { name: basename(path), media_type: mediaTypeOf(path), path };
    const events = this.#events();
    return events === undefined ? "no turn runs" : events.onFile(attachment, () => "");
  }
}
