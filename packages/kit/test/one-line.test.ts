import { expect, test } from "vitest";
import { oneLine } from "../src/one-line.ts";

test("a text in one line steers no terminal, keeps every script, and is cut where it is long", () => {
  expect(oneLine(" Grüße\r\n\u001B[31man\u2028日本\u202E ")).toBe("Grüße [31man 日本");
  expect([oneLine("12345", 5), oneLine("123456", 5)]).toEqual(["12345", "1234…"]);
});
