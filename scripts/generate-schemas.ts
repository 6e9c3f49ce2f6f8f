// Writes what is derived from the schemas: the published JSON Schemas and the table of limits in the docs. With
// --check, fails where one is out of date.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { configJsonSchema, Limits } from "../packages/config/src/index.ts";
import {
  BridgeFrame,
  GatewayFrame,
  PluginFrame,
  WireError,
  WorkerFrame,
} from "../packages/protocol/src/index.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const json = (schema: object) => `${JSON.stringify(schema, null, 2)}\n`;
const derived = {
  "packages/protocol/schema/plugin-frame.schema.json": json(z.toJSONSchema(PluginFrame)),
  "packages/protocol/schema/bridge-frame.schema.json": json(z.toJSONSchema(BridgeFrame)),
  "packages/protocol/schema/gateway-frame.schema.json": json(z.toJSONSchema(GatewayFrame)),
  "packages/protocol/schema/worker-frame.schema.json": json(z.toJSONSchema(WorkerFrame)),
  "packages/protocol/schema/wire-error.schema.json": json(z.toJSONSchema(WireError)),
  "packages/config/schema/synthesis.config.schema.json": json(configJsonSchema()),
  "docs/limits.md": limitsTable(),
};

const stale = Object.entries(derived).flatMap(([file, text]) => {
  const path = join(root, file);
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

function limitsTable(): string {
  const defaults = Limits.parse({});
  const rows = Object.entries(Limits.shape).map(([name, schema]) => {
    const initial = name === "memoryMb" ? "half of the machine's" : String(defaults[name as keyof Limits]);
    return `| \`${name}\` | ${initial} | ${schema.description} |`;
  });
  const head = "# Limits\n\nTimes in milliseconds, sizes in bytes. Written by `pnpm generate`.\n";
  return `${head}\n| limit | default | |\n| --- | --- | --- |\n${rows.join("\n")}\n`;
}
