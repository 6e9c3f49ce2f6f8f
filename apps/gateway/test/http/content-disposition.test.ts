import { expect, test } from "vitest";
import { contentDisposition } from "../../src/http/content-disposition.ts";

test.for<[name: string, ascii: string, exact: string]>([
  ["report.pdf", "report.pdf", "report.pdf"],
  ["my report (2).pdf", "my report (2).pdf", "my%20report%20%282%29.pdf"],
  ['"; filename="evil.exe', "_; filename=_evil.exe", "%22%3B%20filename%3D%22evil.exe"],
  ["a\\b/c", "a_b_c", "a%5Cb%2Fc"],
  ["100%41.txt", "100_41.txt", "100%2541.txt"],
  ["it's*.txt", "it's*.txt", "it%27s%2A.txt"],
  ["a\r\nset-cookie: x\u0000\u007F", "a__set-cookie: x__", "a%0D%0Aset-cookie%3A%20x%00%7F"],
  ["Übersicht.txt", "_bersicht.txt", "%C3%9Cbersicht.txt"],
  ["🦉.png", "_.png", "%F0%9F%A6%89.png"],
  ["half\uD83D.png", "half_.png", "half%EF%BF%BD.png"],
  ["\u202Egnp.exe", "_gnp.exe", "%E2%80%AEgnp.exe"],
])("%j is told as %j and as it is", ([name, ascii, exact]) => {
  const header = contentDisposition("inline", name);
  expect(header).toBe(`inline; filename="${ascii}"; filename*=UTF-8''${exact}`);
  expect(decodeURIComponent(exact)).toBe(name.toWellFormed());
  expect(() => new Headers({ "content-disposition": header })).not.toThrow();
});
