/** A bridge program that connects to `SYNTHESIS_BRIDGE_URL` and says nothing; ends with its connection. */
const socket = new WebSocket(process.env["SYNTHESIS_BRIDGE_URL"] ?? "");
socket.addEventListener("open", () => console.log("connected"));
socket.addEventListener("close", ({ code }) => {
  console.log(`closed ${code}`);
  process.exit(0);
});
