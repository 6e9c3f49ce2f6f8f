import { expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { configJsonSchema } from "../src/json-schema.ts";
import { smallest } from "./support/write-config.ts";

const schema = configJsonSchema();
const validator = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);

/** Every section in use. */
const example = `
server: { host: 127.0.0.1, port: 8787, allowedHosts: ["box.lan:8787"] }
keys:
  claw: { file: ~/claw.key, client: openclaw }
workspaces:
  demo: { path: ./demo }
roots: [~/code]
agents:
  echo: { workspace: demo, driver: command, command: ["{node}", "echo.ts"], env: { A: b } }
  claude: { workspace: demo, driver: headless, model: sonnet, permissionMode: acceptEdits }
  plain: { workspace: demo }
defaultAgent: echo
claude: { bin: claude, env: { ANTHROPIC_BASE_URL: "https://api.example" } }
limits: { idleMs: 1800000, processesPerWorkspace: 16 }
log: { level: warn }
`;

test.for([
  ["the smallest", smallest],
  ["every section", example],
])("the JSON Schema accepts %s configuration", ([, text]) => {
  expect(validator.safeParse(parse(text!)).error).toBeUndefined();
});

test.for([
  ["an unknown section", `${smallest}limit: {}\n`],
  ["an unknown setting", `${smallest}server: { prot: 1 }\n`],
  ["an unknown driver", "agents: { a: { workspace: d, driver: magic } }\n"],
  ["no agents", "workspaces: {}\n"],
])("the JSON Schema refuses %s", ([, text]) => {
  expect(validator.safeParse(parse(text!)).success).toBe(false);
});

test("it has the defaults, but none that depends on the machine", () => {
  expect(schema).toMatchObject({
    title: "synthesis.config.yaml",
    properties: { limits: { properties: { sessionQueue: { default: 32 } } } },
  });
  expect(JSON.stringify(schema)).toContain('"memoryMb":{');
  expect(schema).not.toHaveProperty("properties.limits.properties.memoryMb.default");
});
