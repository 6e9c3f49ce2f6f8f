import { expect, test } from "vitest";
import { linkTo, named } from "../../src/files/file-text.ts";

const url = "http://127.0.0.1:1/v1/files/file-x/content";

test.for([
  ["a chart.png", "image/png", `![a chart.png](${url})`],
  ["a.webp", "image/webp", `![a.webp](${url})`],
  // It could act.
  ["a.svg", "image/svg+xml", `[a.svg](${url})`],
  ["a.pdf", "application/pdf", `[a.pdf](${url})`],
  ["my_big_chart_.csv", "text/csv", `[my_big_chart\\_.csv](${url})`],
  ["](http://evil) **[x", "text/plain", `[\\](http://evil) \\*\\*\\[x](${url})`],
  ["`a` <b> &amp; ~c~ |d\\", "text/plain", "[\\`a\\` \\<b\\> \\&amp; \\~c\\~ \\|d\\\\](" + url + ")"],
])("%j of type %s", ([name, mediaType, text]) => {
  expect(linkTo({ name: name!, mediaType: mediaType! }, url)).toBe(text);
});

test("what cannot be reached is named", () => {
  expect(named({ name: "a.pdf", mediaType: "application/pdf" })).toBe("[file: a.pdf, application/pdf]");
});
