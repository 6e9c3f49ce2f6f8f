import { expect, test } from "vitest";
import { attempt, clientTurn, evidence, failure, journalTurn } from "./histories.ts";
import { oneEnd } from "./one-end.ts";

const canary = "w1.s1.1";
const row = journalTurn(`t-${canary}`);
const interrupted = attempt(canary, { text: "", outcome: failure("turn_interrupted") });

test("a turn that is answered, or interrupted for everybody alike, has one end", () => {
  const cut = attempt(canary, { text: "", outcome: { kind: "cut", why: "reset" } });
  expect(oneEnd(evidence({ clients: [clientTurn(canary)], journal: [row] }))).toEqual([]);
  const told = clientTurn(canary, { attempts: [cut, interrupted, interrupted] });
  expect(oneEnd(evidence({ clients: [told], journal: [{ ...row, state: "interrupted" }] }))).toEqual([]);
});

test("without a key the end of a gateway has to be an end, and is none of the turn", () => {
  const left = attempt(canary, { text: "", outcome: failure("shutting_down", 500) });
  const told = { clients: [clientTurn(canary, { keyed: false, attempts: [left] })], journal: [row] };
  expect(oneEnd(evidence(told))).toEqual([]);
  const keyed = { ...told, clients: [clientTurn(canary, { attempts: [left] })] };
  expect(oneEnd(evidence(keyed))).toMatchObject([{ message: expect.stringContaining("shutting_down") }]);
});

test.for([
  {
    what: "a turn that is open in the journal",
    clients: [],
    journal: [{ ...row, state: "started" }],
    message: "stands as started",
  },
  { what: "a turn without an end", clients: [clientTurn(canary, { end: "unanswered" })], message: "no end" },
  {
    what: "a stream that ends without a word",
    clients: [
      clientTurn(canary, {
        attempts: [attempt(canary, { outcome: { kind: "truncated", why: "no [DONE]" } })],
      }),
    ],
    message: "no [DONE]",
  },
  {
    what: "an error that no fault explains",
    clients: [
      clientTurn(canary, { attempts: [attempt(canary, { outcome: failure("internal_error", 500) })] }),
    ],
    message: "internal_error (500: it failed)",
  },
  {
    what: "a cancellation that nobody asked for",
    clients: [
      clientTurn(canary, { attempts: [attempt(canary, { outcome: failure("turn_cancelled", 409) })] }),
    ],
    message: "turn_cancelled (409: it failed)",
  },
  {
    what: "two ends",
    clients: [clientTurn(canary, { attempts: [interrupted, attempt(canary)] })],
    message: "turn_interrupted, then with completed",
  },
  {
    what: "an end that the journal has not",
    clients: [clientTurn(canary)],
    journal: [{ ...row, state: "interrupted" }],
    message: "completed for its client, and as interrupted",
  },
  { what: "an answer that the journal has not", clients: [clientTurn(canary)], message: "does not know it" },
])("$what violates I1", ({ clients, journal = [], message }) => {
  const found = oneEnd(evidence({ clients, journal }));
  expect(found.map((violation) => violation.message).join("\n")).toContain(message);
});
