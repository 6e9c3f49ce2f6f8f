import { answerSchema, clientTool, toolChoice } from "../openai/tools.ts";
import { joinedInstructions, type TurnRequest } from "../turn-request/turn-request.ts";
import { readChatMessages } from "./chat-messages.ts";
import { ignoredFields, parseChatRequest } from "./chat-request.ts";
import { readEffort } from "../openai/effort.ts";

/** A chat request, as far as it was understood. */
export interface UnderstoodChat {
  readonly turnRequest: TurnRequest;
  readonly includeUsage: boolean;
}

/** Reads the body of `POST /v1/chat/completions`. Throws `invalid_request` naming the field. */
export function readChatRequest(value: unknown): UnderstoodChat {
  const body = parseChatRequest(value);
  const { messages, instructions, ignored } = readChatMessages(body.messages);
  const { conversation, reasoning_effort: asked, tool_choice: choice, response_format: format } = body;
  const effort = asked == null ? undefined : readEffort(asked);
  const turnRequest: TurnRequest = {
    model: body.model ?? undefined,
    messages,
    instructions: joinedInstructions(instructions),
    tools: (body.tools ?? []).map(({ function: made }) => clientTool(made)),
    toolChoice: toolChoice(typeof choice === "object" ? choice?.function : choice),
    answerSchema: answerSchema(
      format,
      format?.type === "json_schema" ? format.json_schema.schema : undefined,
    ),
    effort: effort?.effort,
    isStreamed: body.stream === true,
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
    includeUsage: body.stream_options?.include_usage === true,
  };
}
