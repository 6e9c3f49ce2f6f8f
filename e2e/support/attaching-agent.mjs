// A plugin without any library: attaches the files whose paths it is told, one a line, and says so.
const socket = new WebSocket(process.env.SYNTHESIS_BRIDGE_URL);
const send = (frame) => socket.send(JSON.stringify(frame));
const openclaw_session = process.env.SYNTHESIS_SESSION_KEY;
const hello = { type: "hello", protocol: 1, pid: process.pid, openclaw_session };

socket.addEventListener("open", () => send({ ...hello, capabilities: ["attachments"] }));
socket.addEventListener("close", () => process.exit());
socket.addEventListener("message", ({ data }) => {
  const frame = JSON.parse(data);
  if (frame.type === "ping") send({ type: "pong" });
  if (frame.type !== "inbound") return;
  send({ type: "reply", content: "Look: ", final: false });
  for (const path of frame.content.split("\n")) {
    const name = path.split("/").at(-1);
    const attachments = [{ name, media_type: "application/octet-stream", path }];
    send({ type: "reply", content: "", final: false, attachments });
  }
  send({ type: "reply", content: "that is all." });
});
