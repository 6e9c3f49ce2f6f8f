import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Settings } from "@synthesis/config";
import { compileCache } from "./settings.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** What a supervisor says first: where it serves, or why it cannot. */
interface Said {
  readonly type: string;
  readonly endpoint?: { readonly url: string; readonly port: number };
  readonly message?: string;
}

interface SupervisorRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A real supervisor process that has said its first word. */
export class SupervisorProcess {
  readonly child: ChildProcess;
  readonly said: Said;

  private constructor(child: ChildProcess, said: Said) {
    this.child = child;
    this.said = said;
  }

  static async start(settings: Settings): Promise<SupervisorProcess> {
    const child = fork(main, {
      env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
      execArgv: [],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    child.send({ type: "configure", configuration: { settings } });
    const [said] = (await once(child, "message")) as [Said];
    return new SupervisorProcess(child, said);
  }

  /** Asks its gateway, on a connection of its own. */
  async fetch(path: string, init: SupervisorRequest = {}): Promise<Response> {
    const headers = { ...init.headers, connection: "close" };
    return fetch(`${this.said.endpoint?.url}${path}`, { ...init, headers });
  }

  /** SIGKILLs it. */
  async kill(): Promise<void> {
    const exited = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await exited;
  }

  /** Ends it as the end of whoever started it does, if it still runs. */
  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, "exit");
    if (this.child.connected) this.child.disconnect();
    await exited;
  }
}
