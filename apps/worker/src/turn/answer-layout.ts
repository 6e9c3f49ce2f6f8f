import type { Turn } from "./turn.ts";

type AnsweringTurn = Pick<Turn, "order" | "hasText" | "say">;

/** Sets the text of an answer, its files and its questions apart from each other, in one turn after the other. */
export class AnswerLayout {
  #turn: AnsweringTurn;
  /** Whether the next text is the first of a turn that another one began. */
  #isContinued = false;
  /** Whether the last thing that was told is a question or a file, which what comes next is set apart from. */
  #isAfterInsert = false;

  constructor(turn: AnsweringTurn) {
    this.#turn = turn;
  }

  /** Whether the answer can have anything in it that its agent did not say: none that is to meet a schema can. */
  get isFree(): boolean {
    return this.#turn.order.answerSchema === undefined;
  }

  goOnIn(turn: AnsweringTurn): void {
    this.#turn = turn;
    this.#isContinued = true;
    this.#isAfterInsert = false;
  }

  text(text: string): void {
    const fresh = this.#isContinued ? text.trimStart() : text;
    if (fresh === "") return;
    const turn = this.#turn;
    if (this.#isAfterInsert && !fresh.startsWith("\n")) turn.say({ kind: "question", text: "\n\n" });
    this.#isContinued = false;
    this.#isAfterInsert = false;
    turn.say({ kind: "text", text: fresh });
  }

  file(text: string): void {
    if (text !== "") this.#insert("file", text);
  }

  /** An ask in words. */
  question(words: string): void {
    this.#insert("question", words);
  }

  #insert(kind: "file" | "question", text: string): void {
    const turn = this.#turn;
    this.#isContinued = false;
    if (!this.isFree) return turn.say({ kind: "note", text: `${text}\n` });
    turn.say({ kind, text: turn.hasText ? `\n\n${text}` : text });
    this.#isAfterInsert = true;
  }
}
