/** A program that answers each message with the replies that it consists of, as a JSON array. */
const { SYNTHESIS_BRIDGE_URL = "", SYNTHESIS_SESSION_KEY = "" } = process.env;
const socket = new WebSocket(SYNTHESIS_BRIDGE_URL);
const send = (frame: object) => socket.send(JSON.stringify(frame));

socket.addEventListener("open", () => {
  const capabilities = ["attachments"];
  send({
    type: "hello",
    protocol: 1,
    pid: process.pid,
    openclaw_session: SYNTHESIS_SESSION_KEY,
    capabilities,
  });
});
socket.addEventListener("message", ({ data }) => {
  const { type, content = "" } = JSON.parse(String(data)) as {
    readonly type: string;
    readonly content?: string;
  };
  if (type === "ping") send({ type: "pong" });
  if (type !== "inbound") return;
  for (const reply of JSON.parse(content) as readonly object[]) send({ type: "reply", ...reply });
});
socket.addEventListener("close", () => process.exit(0));
