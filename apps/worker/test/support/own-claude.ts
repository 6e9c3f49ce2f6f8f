import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { LiveWelcome } from "@synthesis/protocol";
import { WebSocket } from "ws";

/** A Claude that somebody started in a terminal of their own, as `synthesis claude` does. */
export class OwnClaude implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly welcome: LiveWelcome;
  readonly child: ChildProcess;
  /** Why it was let go of. */
  readonly letGo: Promise<string>;

  private constructor(socket: WebSocket, welcome: LiveWelcome) {
    this.socket = socket;
    this.welcome = welcome;
    const { bin, args, cwd, env } = welcome;
    this.child = spawn(bin, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["pipe", "ignore", "inherit"],
    });
    socket.send(JSON.stringify({ type: "started", pid: this.child.pid }));
    const { promise, resolve } = Promise.withResolvers<string>();
    socket.on("close", (_code, reason) => resolve(reason.toString()));
    this.letGo = promise;
  }

  static async start(url: string): Promise<OwnClaude> {
    const socket = new WebSocket(url);
    const [data] = (await once(socket, "message")) as [Buffer];
    const claude = new OwnClaude(socket, LiveWelcome.parse(JSON.parse(data.toString("utf8"))));
    socket.ping();
    await once(socket, "pong"); // by then the worker knows that it was started
    return claude;
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isAlive) {
      this.child.kill("SIGKILL");
      await once(this.child, "exit");
    }
    this.socket.close();
    await this.letGo;
  }
}
