/** A program for the `command` driver: asks for each tool that its message names, all at once, and answers with the verdicts. */
export const ASKING_PLUGIN = `
const { SYNTHESIS_BRIDGE_URL: url, SYNTHESIS_SESSION_KEY: openclaw_session } = process.env;
const socket = new WebSocket(url);
const send = (frame) => socket.send(JSON.stringify(frame));
const said = new Map();
let tools = [];
socket.onopen = () => send({ type: "hello", pid: process.pid, openclaw_session, protocol: 1, capabilities: ["asks"] });
socket.onclose = () => process.exit();
socket.onmessage = ({ data }) => {
  const frame = JSON.parse(data);
  if (frame.type === "ping") send({ type: "pong" });
  if (frame.type === "inbound") {
    tools = frame.content.split(" ");
    for (const tool of tools) send({ type: "ask", id: tool, tool, input: {} });
  }
  if (frame.type !== "verdict") return;
  said.set(frame.id, frame.behavior + (frame.message ? ": " + frame.message : ""));
  if (said.size === tools.length)
    send({ type: "reply", content: tools.map((tool) => tool + " " + said.get(tool)).join("|") });
};
`;
