import type { ClientTool } from "@synthesis/protocol";
import type { TurnRequest, ToolChoice } from "../turn-request/turn-request.ts";
import { readChatMessages } from "./chat-messages.ts";
import { ignoredFields, parseChatRequest, type ChatRequest } from "./chat-request.ts";
import { readEffort } from "./effort.ts";

/** A chat request, as far as it was understood. */
export interface UnderstoodChat {
  readonly turnRequest: TurnRequest;
  readonly isStreamed: boolean;
  readonly includeUsage: boolean;
}

/** Reads the body of `POST /v1/chat/completions`. Throws `invalid_request` naming the field. */
export function readChatRequest(value: unknown): UnderstoodChat {
  const body = parseChatRequest(value);
  const { messages, instructions, ignored } = readChatMessages(body.messages);
  const { conversation, reasoning_effort: asked } = body;
  const effort = asked == null ? undefined : readEffort(asked);
  const turnRequest: TurnRequest = {
    model: body.model ?? undefined,
    messages,
    instructions: instructions.filter((text) => text !== "").join("\n\n") || undefined,
    tools: (body.tools ?? []).map(readTool),
    toolChoice: readChoice(body.tool_choice),
    answerSchema: readFormat(body.response_format),
    effort: effort?.effort,
    names: {
      promptCacheKey: body.prompt_cache_key ?? undefined,
      conversation: (typeof conversation === "string" ? conversation : conversation?.id) ?? undefined,
      metadataSession: body.metadata?.session_id ?? undefined,
    },
    user: body.user ?? undefined,
    ignored: [...ignoredFields(body), ...ignored, ...(effort?.isExact === false ? ["reasoning_effort"] : [])],
  };
  return {
    turnRequest,
    isStreamed: body.stream === true,
    includeUsage: body.stream_options?.include_usage === true,
  };
}

function readTool({ function: made }: NonNullable<ChatRequest["tools"]>[number]): ClientTool {
  const { name, description, parameters } = made;
  return {
    name,
    ...(description ? { description } : {}),
    parameters: parameters ?? { type: "object", properties: {} },
  };
}

function readChoice(choice: ChatRequest["tool_choice"]): ToolChoice {
  if (choice == null) return { type: "auto" };
  return typeof choice === "string" ? { type: choice } : { type: "named", name: choice.function.name };
}

function readFormat(format: ChatRequest["response_format"]): TurnRequest["answerSchema"] {
  if (format?.type === "json_object") return { type: "object" };
  return format?.type === "json_schema" ? format.json_schema.schema : undefined;
}
