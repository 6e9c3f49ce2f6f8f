import { expect, test } from "vitest";
import {
  documentFromUrl,
  documentPart,
  imageFromUrl,
  imagePart,
} from "../../src/turn-request/content-part.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");

test.for(["image/png", "image/jpeg", "image/gif", "image/webp"])(
  "an image of type %s is taken",
  (mediaType) => {
    expect(imageFromUrl(`data:${mediaType};base64,iVBORw==`, "here")).toEqual({
      type: "image",
      mediaType,
      data: "iVBORw==",
    });
  },
);

test("a data: URL may have parameters, and its type may be in capitals", () => {
  expect(imageFromUrl("data:IMAGE/PNG;name=a.png;base64,AAAA", "here")).toMatchObject({
    mediaType: "image/png",
  });
});

test.for<[url: string, why: string]>([
  ["https://example.org/a.png", "only data: URLs with base64 are taken"],
  ["file:///etc/passwd", "only data: URLs with base64 are taken"],
  ["data:image/png,raw", "only data: URLs with base64 are taken"],
  ["", "only data: URLs with base64 are taken"],
  ["data:image/svg+xml;base64,AAAA", 'images of type "image/svg+xml" are not taken: send one of'],
  ["data:;base64,AAAA", 'images of type "" are not taken'],
  ["data:image/png;base64,", "this is not base64"],
  ["data:image/png;base64,AAA", "this is not base64"],
  ["data:image/png;base64,AA A", "this is not base64"],
  ["data:image/png;base64,A===", "this is not base64"],
  ["data:image/png;base64,AA-_", "this is not base64"],
  ["data:image/png;base64,AAAA\n", "this is not base64"],
])("the image %s is refused, naming the place", ([url, why]) => {
  expect(() => imageFromUrl(url, "messages.0.content.1.image_url.url")).toThrow(
    `messages.0.content.1.image_url.url: ${why}`,
  );
});

test("a PDF is taken as it is, text as text", () => {
  expect(documentFromUrl(`data:application/pdf;base64,${base64("%PDF")}`, "a\u0000.pdf", "here")).toEqual({
    type: "document",
    mediaType: "application/pdf",
    data: base64("%PDF"),
    name: "a?.pdf",
  });
  expect(documentPart("text/plain", base64("hällo"), "n.txt", "here")).toEqual({
    type: "text",
    text: '<document name="n.txt">\nhällo\n</document>',
  });
  expect(documentPart("application/json", base64("{}"), undefined, "here")).toMatchObject({
    text: "<document>\n{}\n</document>",
  });
});

test("a file of another type, or text that is none, is refused", () => {
  expect(() => documentPart("application/zip", "AAAA", undefined, "here")).toThrow(
    'here: files of type "application/zip" are not taken: send a PDF, or text',
  );
  expect(() => documentPart("text/plain", "/////w==", undefined, "here")).toThrow("this text is not UTF-8");
  expect(() => imagePart("image/png", "?", "here")).toThrow("this is not base64");
});
