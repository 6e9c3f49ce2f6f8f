import { Client } from "undici";

export interface ControlAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Asks a control socket once. */
export async function askControl(
  socketPath: string,
  method: "GET" | "POST",
  path: string,
  body?: string,
): Promise<ControlAnswer> {
  const client = new Client("http://supervisor", { socketPath });
  try {
    const response = await client.request({ method, path, ...(body === undefined ? {} : { body }) });
    return { status: response.statusCode, body: await response.body.json() };
  } finally {
    await client.destroy();
  }
}
