/** Never becomes ready: one line on stderr, exit code 3. */
console.error("dies before ready");
process.exitCode = 3;
