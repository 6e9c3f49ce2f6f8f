import * as z from "zod";
import { Id } from "./identifier.ts";

/** One of the questions that an agent asks with a choice of answers. */
export const AskQuestion = z.object({
  question: z.string(),
  header: z.string().optional(),
  options: z.array(z.object({ label: z.string(), description: z.string().optional() })),
  /** Several of the options may be chosen. */
  isMultiple: z.boolean(),
  /** What an answer has to be; absent: own words will do. */
  takes: z.enum(["option", "number", "integer"]).optional(),
});
export type AskQuestion = z.infer<typeof AskQuestion>;

/** Something that an agent may do, or will know, only when a person says so; it waits for exactly one verdict. Times are epoch ms. */
export const AgentAsk = z.object({
  id: z.uuid(),
  turn: z.uuid(),
  session: Id,
  agent: Id,
  /** permission: to use a tool. question: which of some options. plan: whether to go on with it. input: what a tool's server wants to know. */
  kind: z.enum(["permission", "question", "plan", "input"]),
  tool: z.string(),
  /** In one line, for people. */
  title: z.string(),
  /** What the tool would be called with, as JSON text in one line; of a long one the beginning and the end. */
  input: z.string(),
  /** How many characters of `input` are left out in its middle; absent: it is whole. */
  inputLeftOut: z.number().int().positive().optional(),
  /** What `always` would allow from then on, in words; empty: `always` is not offered. */
  always: z.array(z.string()),
  questions: z.array(AskQuestion).optional(),
  askedAt: z.number().int(),
  /** When its user was told; absent: not yet, for one is told after the other. What came before that is no verdict on it. */
  toldAt: z.number().int().optional(),
  /** It was told in the answer's text, and a message in the chat may settle it. */
  isInAnswer: z.literal(true).optional(),
  /** When it is denied by itself; put off when it is told. */
  deadlineAt: z.number().int(),
});
export type AgentAsk = z.infer<typeof AgentAsk>;

/** What a person says to an ask. */
export const AskVerdict = z.object({
  behavior: z.enum(["allow", "always", "deny"]),
  /** For the agent: why not, or what instead; of kind `input` and `question` the answer in words. */
  message: z.string().max(16_384).optional(),
  /** To `questions`: the chosen label, or own words, by question. */
  answers: z.record(z.string(), z.string()).optional(),
});
export type AskVerdict = z.infer<typeof AskVerdict>;

/** By which way an ask was settled; `cancelled`: its turn was; `agent`: the agent withdrew it. */
export const AskSettler = z.enum(["chat", "api", "cli", "deadline", "cancelled", "drain", "agent"]);
export type AskSettler = z.infer<typeof AskSettler>;

/** How an ask was settled. */
export const AskSettlement = z.object({
  ask: z.uuid(),
  behavior: AskVerdict.shape.behavior,
  by: AskSettler,
});
export type AskSettlement = z.infer<typeof AskSettlement>;

/** By which way a person answers. */
export const AskWay = z.enum(["chat", "api", "cli"]);
export type AskWay = z.infer<typeof AskWay>;

/** Body of `POST /asks/:id` on a worker's socket; answered with an `AskSettlement`. */
export const AskAnswer = AskVerdict.extend({ by: AskWay.exclude(["chat"]) });
export type AskAnswer = z.infer<typeof AskAnswer>;

/** Answer to `POST /asks/:id/said`, whose body is a `Said`; without a settlement that is no verdict on the ask. */
export const AskHeard = z.object({ settlement: AskSettlement.optional() });
export type AskHeard = z.infer<typeof AskHeard>;

/** `GET /asks` on a worker's socket: the open ones, oldest first. */
export const AskList = z.object({ asks: z.array(AgentAsk) });
export type AskList = z.infer<typeof AskList>;

/** `GET /asks/:id` on a worker's socket: an open one, with the whole of its `input`. */
export const AskDetail = z.object({ ask: AgentAsk });
export type AskDetail = z.infer<typeof AskDetail>;
