/** For whoever writes a plugin or a `command` agent: the plugin's side of PROTOCOL.md, with zod as its only dependency. */
export type { Verdict } from "./ask.ts";
export type { Attachment } from "./attachment.ts";
export type { PluginCapability } from "./plugin-capability.ts";
export type { ReceivedFile } from "./received-file.ts";
export { PluginClient, type PluginClientOptions } from "./plugin-client/client.ts";
export {
  MissingVariableError,
  pluginClientFromEnvironment,
  type PluginEnvironment,
} from "./plugin-client/from-environment.ts";
export type { PermissionAsk } from "./plugin-client/open-asks.ts";
export type { PluginClose } from "./plugin-client/plugin-close.ts";
export type { InboundTurn } from "./plugin-client/turn.ts";
