/** For a WebSocket server: how long the other side may take to answer that it is closed. `ws` 8.23 knows it, its types do not. */
export const closeHandshake = { closeTimeout: 500 };
