import { linkMessageBytes } from "@synthesis/protocol";
import { expect, test } from "vitest";
import { checkOrderSize } from "../../src/routes/order-size.ts";

const bodyBytes = 1_000;
const bound = linkMessageBytes(bodyBytes);

test("an order is taken up to its worker's bound, by its bytes as JSON", () => {
  const text = (characters: number) => "x".repeat(characters);
  expect(() => checkOrderSize({ prompt: text(bound - 2_000) }, bodyBytes)).not.toThrow();
  const part = { type: "text", text: text(bound - 2_000) } as const;
  const result = { type: "tool_result", call: "c", name: "f", arguments: "{}", isError: false } as const;
  for (const order of [
    { prompt: text(bound) },
    { prompt: "\u0001".repeat(bound / 6) },
    { prompt: [part, { type: "image", mediaType: "image/png", data: text(2_000) } as const] },
    {
      prompt: [
        { ...result, content: [part] },
        { ...result, arguments: text(2_000), content: [] },
      ],
    },
    { prompt: "a", instructions: text(bound) },
  ])
    expect(() => checkOrderSize(order, bodyBytes)).toThrow("send less at once");
});
