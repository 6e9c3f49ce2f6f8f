import { fileURLToPath } from "node:url";
import type { CloseReason } from "@synthesis/kit";
import { AgentChild, type ChildOrder } from "../process/agent-child.ts";
import type { Child } from "../process/child.ts";
import type { HostOrder } from "./host-order.ts";
import { Screen, type ScreenSize } from "./screen.ts";

export type TerminalOrder = Omit<ChildOrder, "endedBy" | "onStdout">;

/** Who looks at a terminal. */
export interface TerminalWatcher {
  /** What was drawn, in order. */
  onDrawn(bytes: Buffer): void;
  /** From here on the screen has this size. */
  onResized(size: ScreenSize): void;
  /** Nothing more will be drawn. */
  onEnded?(reason: CloseReason): void;
}

const SIZE: ScreenSize = { cols: 120, rows: 40 };
/** Bytes that are not drawn yet; above that the program waits. */
const MAX_UNDRAWN_BYTES = 256 * 1024;
const NEWLINE = 10;
const host = fileURLToPath(import.meta.resolve("#terminal-host"));

/** A program in a pseudo-terminal of its own, with everything it starts; its screen is kept. */
export class TerminalChild implements Child {
  readonly #child: AgentChild;
  readonly #screen: Screen;
  readonly #watchers = new Set<TerminalWatcher>();
  /** What came before the program's pid was complete. */
  #head = "";
  #pid: number | undefined;
  #undrawn = 0;

  constructor(order: TerminalOrder) {
    this.#screen = new Screen(SIZE, (keys) => this.#tell({ keys }));
    this.#child = new AgentChild({
      ...order,
      command: process.execPath,
      args: [host, String(SIZE.cols), String(SIZE.rows), order.command, ...order.args],
      endedBy: "stdin",
      onStdout: (bytes) => this.#receive(bytes),
    });
    void this.closed.then((reason) => this.#screen.draw(Buffer.of(), () => this.#end(reason)));
  }

  get pid(): number | undefined {
    return this.#pid;
  }

  get isAlive(): boolean {
    return this.#child.isAlive;
  }

  get closed(): Promise<CloseReason> {
    return this.#child.closed;
  }

  get size(): ScreenSize {
    return this.#screen.size;
  }

  /** What its screen shows, as text. */
  get text(): string {
    return this.#screen.text;
  }

  /** Returns what draws the screen as it is; the watcher is told what comes after, till `stop`. */
  watch(watcher: TerminalWatcher): { readonly snapshot: string; readonly stop: () => void } {
    this.#watchers.add(watcher);
    return { snapshot: this.#screen.snapshot, stop: () => void this.#watchers.delete(watcher) };
  }

  /** Presses keys. */
  press(keys: string): void {
    this.#tell({ keys });
  }

  resize(size: ScreenSize): void {
    this.#tell({ size });
    this.#screen.resize(size);
    for (const watcher of this.#watchers) watcher.onResized(size);
  }

  /** SIGTERM, then SIGKILL to all at `closeMs`. */
  async close(reason: CloseReason): Promise<void> {
    await this.#child.close(reason);
  }

  async kill(reason: CloseReason): Promise<void> {
    await this.#child.kill(reason);
  }

  #tell(order: HostOrder): void {
    if (this.isAlive) this.#child.write(`${JSON.stringify(order)}\n`);
  }

  #receive(bytes: Buffer): void {
    if (this.#pid !== undefined) return this.#draw(bytes);
    const end = bytes.indexOf(NEWLINE);
    this.#head += bytes.toString("latin1", 0, end === -1 ? bytes.length : end);
    if (end === -1) return;
    this.#pid = Number(this.#head);
    this.#draw(bytes.subarray(end + 1));
  }

  #draw(bytes: Buffer): void {
    this.#undrawn += bytes.length;
    if (this.#undrawn > MAX_UNDRAWN_BYTES) this.#child.pause();
    this.#screen.draw(bytes, () => {
      this.#undrawn -= bytes.length;
      if (this.#undrawn <= MAX_UNDRAWN_BYTES) this.#child.resume();
      for (const watcher of this.#watchers) watcher.onDrawn(bytes);
    });
  }

  #end(reason: CloseReason): void {
    for (const watcher of this.#watchers) watcher.onEnded?.(reason);
    this.#watchers.clear();
  }
}
