import type { TurnOutput } from "./turn-output.ts";

/** A message with a call of Bash; returns the call's id. */
export async function callTool(output: TurnOutput): Promise<string> {
  const id = `toolu_fake_${process.pid}`;
  output.startMessage();
  await output.say("before the tool");
  output.endMessage("tool_use", [{ type: "tool_use", id, name: "Bash", input: { command: "true" } }]);
  return id;
}

/** The end of that call, and what the model says to it and to what came meanwhile. */
export async function endTool(
  output: TurnOutput,
  tool_use_id: string,
  takeUp: () => readonly string[] = () => [],
): Promise<void> {
  output.user([{ type: "tool_result", tool_use_id, content: "done" }]);
  const more = takeUp().map((text) => `, and to: ${text}`);
  output.line({ type: "system", subtype: "status", status: "requesting", user_message_uuids: output.uuids });
  await output.message(`after the tool${more.join("")}`);
}
