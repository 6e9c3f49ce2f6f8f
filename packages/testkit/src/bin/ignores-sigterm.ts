/** Says it is ready (on stdout, and over IPC where there is any), then lives on through SIGTERM and the end of stdin. */
process.on("SIGTERM", () => {});
process.on("disconnect", () => {});
process.stdin.resume();
setInterval(() => {}, 2 ** 30);
process.send?.({ type: "ready" });
console.log(`ready ${process.pid}`);
