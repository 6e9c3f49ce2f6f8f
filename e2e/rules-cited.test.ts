import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const rules = [...readFileSync(join(root, "PROTOCOL.md"), "utf8").matchAll(/^- \*\*([PWC]-\d+)\*\*/gm)].map(
  ([, id]) => id,
);
const tests = globSync(["apps/*/test/**/*.test.ts", "packages/*/test/**/*.test.ts", "e2e/**/*.test.ts"], {
  cwd: root,
  exclude: (name) => name.includes("node_modules"),
});
const cited = new Set(
  tests.flatMap((file) =>
    [...readFileSync(join(root, file), "utf8").matchAll(/\b[PWC]-\d+\b/g)].map(([id]) => id),
  ),
);

test("PROTOCOL.md has rules", () => expect(rules.length).toBeGreaterThan(20));

test.each(rules)("rule %s is cited by a test", (id) => expect(cited).toContain(id));
