import { expect, test } from "vitest";
import { fileName } from "../../src/files/file-name.ts";

test.for([
  ["chart.png", "image/png", "chart.png"],
  // The name says the type; where it says none, the type makes the name.
  ["notes", "text/plain", "notes.txt"],
  ["notes", "application/octet-stream", "notes"],
  ["notes", "application/x-unheard-of", "notes"],
  ["a.txt", "image/png", "a.txt"],
  [".bashrc", "text/plain", ".bashrc.txt"],
  // Nothing of it is a path, breaks a line, or turns it around.
  ["../../etc/passwd", "text/plain", ".._.._etc_passwd"],
  ["a\\b\nc\u0000d.txt", "text/plain", "a_b_c_d.txt"],
  ["photo\u202egnp.exe", "image/png", "photo_gnp.exe"],
  ["..", "image/png", "file.png"],
  ["", "application/octet-stream", "file"],
  ["half \ud83d.txt", "text/plain", "half \ufffd.txt"],
  ["Straße 👨‍👩‍👧.pdf", "application/pdf", "Straße 👨‍👩‍👧.pdf"],
])("%j of type %s is kept as %j", ([given, type, name]) => {
  expect(fileName(given!, type!)).toBe(name);
});

test("a name is cut to what file systems take, its extension stays", () => {
  const name = fileName(`${"ü".repeat(255)}.tar.gz`, "application/gzip");
  expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
  expect(name).toMatch(/^ü{120,}\.gz$/);
  const strange = fileName(`a.${"x".repeat(300)}`, "image/png");
  expect([Buffer.byteLength(strange), strange.slice(-4)]).toEqual([255, ".png"]);
});
