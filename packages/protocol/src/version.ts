/**
 * The version of every frame in this package. A peer names the version it speaks in its first frame
 * (PROTOCOL.md P-3); a plugin that names none speaks the seed's frames, which stay valid for ever.
 */
export const PROTOCOL_VERSION = 1;
