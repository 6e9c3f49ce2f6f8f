import { expect, test } from "vitest";
import { welcome } from "../src/welcome.ts";

const facts = { endpoint: "http://127.0.0.1:8787", agents: ["claude", "echo"], configFile: "/s/c.yaml" };

test("it says where, with which key, and how to try it", () => {
  const text = welcome({ ...facts, keyFile: "/it's here/api-key" });
  expect(text).toContain("endpoint   http://127.0.0.1:8787/v1\n");
  expect(text).toContain(String.raw`-H "Authorization: Bearer $(cat '/it'\''s here/api-key')"`);
  expect(text).toContain('"model": "echo"');
});

test("with a key from the environment it names the variable, without echo the first agent", () => {
  const text = welcome({ ...facts, agents: ["claude"], keyFile: undefined });
  expect(text).toContain("the value of SYNTHESIS_API_KEY");
  expect(text).toContain("Bearer $SYNTHESIS_API_KEY");
  expect(text).toContain('"model": "claude"');
});
