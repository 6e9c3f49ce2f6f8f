/** WebSocket close codes of the bridge (PROTOCOL.md, "Close codes"). 4000–4999 is the application's range, RFC 6455 §7.4.2. */
export const CloseCode = {
  /** The first frame was not `hello`, or none came in time. */
  expectedHello: 4001,
  /** A newer connection with the same token took over. */
  replaced: 4002,
  /** `hello` named another session than the one its token belongs to. */
  sessionMismatch: 4003,
  /** A frame was not JSON, or not of a known frame's form. */
  malformedFrame: 4004,
  /** `hello.protocol` names a version that this side does not speak. */
  unsupportedProtocol: 4005,
  /** More frames than `hello_ack.limits.frames_per_second` allow. */
  tooManyFrames: 4008,
  /** The other side goes away on purpose (RFC 6455: 1001). */
  goingAway: 1001,
} as const;
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];
