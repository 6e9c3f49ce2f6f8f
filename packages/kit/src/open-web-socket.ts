import { connect } from "node:net";
import { WebSocket, type ClientOptions } from "ws";

/**
 * Begins a WebSocket on a Unix socket; `path` is the request's, with its query. Not as a ws+unix URL: in the path of a
 * socket, spaces, colons and the like are just characters.
 */
export function openWebSocket(socketPath: string, path: string, options: ClientOptions = {}): WebSocket {
  return new WebSocket(`ws://worker${path}`, { ...options, createConnection: () => connect(socketPath) });
}
