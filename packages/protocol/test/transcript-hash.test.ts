import { expect, test } from "vitest";
import { EMPTY_TRANSCRIPT, rollTranscript } from "../src/index.ts";

test("equal messages in equal order give equal hashes of 64 hexadecimal digits", () => {
  const roll = () => rollTranscript(rollTranscript(EMPTY_TRANSCRIPT, "user", "hé"), "assistant", "👋");
  expect(roll()).toBe(roll());
  expect(roll()).toMatch(/^[\da-f]{64}$/);
});

test("role, text, order and boundary of the messages each change the hash", () => {
  const roll = (...messages: readonly ["user" | "assistant" | "tool", string][]) =>
    messages.reduce((hash, [role, text]) => rollTranscript(hash, role, text), EMPTY_TRANSCRIPT);
  const hashes = [
    roll(),
    roll(["user", ""]),
    roll(["user", "a"]),
    roll(["assistant", "a"]),
    roll(["tool", "a"]),
    roll(["user", "a"], ["assistant", "b"]),
    roll(["assistant", "b"], ["user", "a"]),
    roll(["user", "a\0assistant\0b"]),
    roll(["user", "ab"]),
    roll(["user", "a"], ["user", "b"]),
  ];
  expect(new Set(hashes).size).toBe(hashes.length);
});

test("the hash of the empty transcript never changes: journals hold it", () => {
  expect(EMPTY_TRANSCRIPT).toBe("bd3ca2045817173b5882271cfec6aad6f3014eda7f257b3bdce68c47b95bc25a");
});
