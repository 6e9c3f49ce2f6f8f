// An agent in plain Node: counts the lines, words and bytes of a message by running `wc`.
import { spawn } from "node:child_process";

const socket = new WebSocket(process.env.SYNTHESIS_BRIDGE_URL);
const send = (frame) => socket.send(JSON.stringify(frame));
/** The running turn: its id and its command. */
let turn;

socket.addEventListener("open", () => {
  const { SYNTHESIS_SESSION_KEY: openclaw_session } = process.env;
  send({ type: "hello", pid: process.pid, openclaw_session, protocol: 1, capabilities: ["cancel"] });
});
socket.addEventListener("close", () => process.exit());
socket.addEventListener("message", ({ data }) => {
  const frame = JSON.parse(data);
  if (frame.type === "ping") send({ type: "pong" });
  if (frame.type === "inbound") count(frame.content, frame.meta.message_id);
  if (frame.type === "cancel" && frame.message_id === turn?.message_id) turn.command.kill();
});

function count(content, message_id) {
  // No shell: what a message says is never a command.
  const command = spawn("wc", { stdio: ["pipe", "pipe", "inherit"] });
  turn = { message_id, command };
  send({ type: "progress", text: "running wc", message_id });
  command.stdout.setEncoding("utf8");
  command.stdout.on("data", (text) => send({ type: "reply", content: text, final: false, message_id }));
  command.on("error", (error) => send({ type: "failure", message: error.message, message_id }));
  command.on("close", (code, signal) => {
    if (signal !== null) send({ type: "cancelled", message_id });
    else if (code === 0) send({ type: "reply", content: "", message_id });
    else if (code > 0) send({ type: "failure", message: `wc ended with ${code}`, message_id });
  });
  command.stdin.on("error", () => {}); // it ended before it read all: its close says how
  command.stdin.end(content);
}
