import { randomUUID } from "node:crypto";

/**
 * A prompt for Claude's stdin. `client_composed` makes it plain text: without it `/clear` would wipe the
 * history and `@/etc/hostname` would read that file into the prompt (measured with Claude Code 2.1.330).
 */
export function userMessage(uuid: string, prompt: string): string {
  return line({ type: "user", uuid, client_composed: true, message: { role: "user", content: prompt } });
}

export function interruptRequest(): string {
  return controlRequest({ subtype: "interrupt" });
}

/** Without a model: back to the one that the process was started with. */
export function setModelRequest(model: string | undefined): string {
  return controlRequest({ subtype: "set_model", ...(model === undefined ? {} : { model }) });
}

/** The answer to something that Claude asks of its host and this host does not do; unanswered, it would wait for ever. */
export function refusal(requestId: string, subtype: string): string {
  return line({
    type: "control_response",
    response: { subtype: "error", request_id: requestId, error: `Synthesis does not answer ${subtype}` },
  });
}

function controlRequest(request: object): string {
  return line({ type: "control_request", request_id: randomUUID(), request });
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
