import { spawn } from "node:child_process";

/** Starts `sleep 300` in a session of its own, prints `grandchild PID` and exits with 0. */
const child = spawn("sleep", ["300"], { detached: true, stdio: "ignore" });
child.unref();
console.log(`grandchild ${child.pid}`);
