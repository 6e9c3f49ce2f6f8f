// A plugin without any library: answers with what it was told, and what the files hold that it was told of, as JSON.
//   receiving-agent.mjs CAPABILITY …
import { readFile } from "node:fs/promises";

const socket = new WebSocket(process.env.SYNTHESIS_BRIDGE_URL);
const send = (frame) => socket.send(JSON.stringify(frame));
const openclaw_session = process.env.SYNTHESIS_SESSION_KEY;
const capabilities = process.argv.slice(2);
const named = capabilities.length === 0 ? {} : { protocol: 1, capabilities };

socket.addEventListener("open", () => send({ type: "hello", pid: process.pid, openclaw_session, ...named }));
socket.addEventListener("close", () => process.exit());
socket.addEventListener("message", ({ data }) => {
  const frame = JSON.parse(data);
  if (frame.type === "ping") send({ type: "pong" });
  if (frame.type === "inbound") void answer(frame);
});

async function answer({ content, attachments }) {
  const inText = [...content.matchAll(/ path="([^"]+)"/g)].map(([, path]) => path);
  const paths = attachments?.map(({ path }) => path) ?? inText;
  const contents = await Promise.all(paths.map((path) => readFile(path, "base64")));
  send({ type: "reply", content: JSON.stringify({ content, attachments, contents }) });
}
