// Writes the JSON Schemas that are published with the packages; with --check, fails where one is out of date.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { configJsonSchema } from "../packages/config/src/index.ts";
import {
  BridgeFrame,
  GatewayFrame,
  PluginFrame,
  WireError,
  WorkerFrame,
} from "../packages/protocol/src/index.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const schemas = {
  "packages/protocol/schema/plugin-frame.schema.json": z.toJSONSchema(PluginFrame),
  "packages/protocol/schema/bridge-frame.schema.json": z.toJSONSchema(BridgeFrame),
  "packages/protocol/schema/gateway-frame.schema.json": z.toJSONSchema(GatewayFrame),
  "packages/protocol/schema/worker-frame.schema.json": z.toJSONSchema(WorkerFrame),
  "packages/protocol/schema/wire-error.schema.json": z.toJSONSchema(WireError),
  "packages/config/schema/synthesis.config.schema.json": configJsonSchema(),
};

const stale = Object.entries(schemas).flatMap(([file, schema]) => {
  const path = join(root, file);
  const text = `${JSON.stringify(schema, null, 2)}\n`;
  if (existsSync(path) && readFileSync(path, "utf8") === text) return [];
  if (!process.argv.includes("--check")) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return [file];
});
if (process.argv.includes("--check") && stale.length > 0) {
  console.error(`out of date, run \`pnpm generate\`: ${stale.join(", ")}`);
  process.exitCode = 1;
}
