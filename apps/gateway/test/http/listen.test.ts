import { once } from "node:events";
import { createServer } from "node:http";
import { handleOf, UnusableError } from "@synthesis/kit";
import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { listen } from "../../src/http/listen.ts";

expectClean();

const host = "127.0.0.1";

/** A server that answers with its name, and hangs up after each answer. */
function named(name: string) {
  return createServer((_request, response) => response.setHeader("connection", "close").end(name));
}

test("it takes the asked port, or a free one, and says which", async () => {
  const server = named("one");
  const port = await listen(server, { host, port: 0 });
  expect(await (await fetch(`http://${host}:${port}`)).text()).toBe("one");
  server.close();
  await once(server, "close");
  const again = named("two");
  expect(await listen(again, { host, port })).toBe(port);
  again.close();
  await once(again, "close");
});

test("it waits for a predecessor that is being ended", async () => {
  const first = named("one");
  const port = await listen(first, { host, port: 0 });
  const second = named("two");
  const listening = listen(second, { host, port });
  await once(second, "error"); // its first attempt
  first.close();
  expect(await listening).toBe(port);
  second.close();
  await once(second, "close");
});

test("on an inherited socket it serves at the port of that, whatever its configuration says", async () => {
  const first = named("one");
  const port = await listen(first, { host, port: 0 });
  const second = named("two");
  expect(await listen(second, { host, port: 1 }, handleOf(first))).toBe(port);
  expect(await (await fetch(`http://${host}:${port}`)).text()).toBe("two");
  second.close();
  await once(second, "close");
});

test("an address that is not this machine's is refused with what is wrong", async () => {
  const refused = listen(named("one"), { host: "192.0.2.1", port: 0 });
  await expect(refused).rejects.toThrow(UnusableError);
  await expect(refused).rejects.toThrow("cannot listen on 192.0.2.1, port 0");
});
