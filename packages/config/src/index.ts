/** The configuration of Synthesis: its file, its defaults, its places. */
export { apiKeyDigest, apiKeyFile, makeApiKey, readApiKey } from "./api-key.ts";
export { checkoutDir } from "./checkout-dir.ts";
export { ConfigError } from "./config-error.ts";
export { hasClaude } from "./find-claude.ts";
export { findProgram } from "./find-program.ts";
export { hostInUrl } from "./host-in-url.ts";
export { configJsonSchema } from "./json-schema.ts";
export { ChannelAsks, CommandAsks, HeadlessAsks } from "./asks.ts";
export { AgentFiles } from "./files.ts";
export { Limits } from "./limits.ts";
export { loadSettings, type Overrides } from "./load-settings.ts";
export { controlSocketPath, instanceMark, locate, type LocationChoice, type Locations } from "./locations.ts";
export { AgentSettings, KeySettings, Settings } from "./settings.ts";
