import type { Duplex } from "node:stream";

/** Answers a request for a WebSocket with `status`, such as "404 Not Found", and `body` as JSON, if there is one. */
export function refuseUpgrade(socket: Duplex, status: string, body?: object): void {
  const text = body === undefined ? "" : JSON.stringify(body);
  const type = body === undefined ? "" : "Content-Type: application/json\r\n";
  socket.on("error", () => socket.destroy());
  socket.once("finish", () => socket.destroy()); // the peer need not end its side
  const length = `Content-Length: ${Buffer.byteLength(text)}`;
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n${type}${length}\r\n\r\n${text}`);
}
