import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { key, type RunningGateway } from "./running-gateway.ts";

/** The official SDKs over the connections of a test's gateway, of which it leaves none. */
function optionsFor(gateway: RunningGateway) {
  const sdkFetch = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const { pathname, search } = new URL(url instanceof Request ? url.url : url);
    type Init = Parameters<RunningGateway["fetch"]>[1];
    const response: unknown = await gateway.fetch(`${pathname}${search}`, init as Init);
    return response as Response; // undici's own, which is Node's
  };
  return { apiKey: key, maxRetries: 0, fetch: sdkFetch };
}

export function openaiOf(gateway: RunningGateway): OpenAI {
  return new OpenAI({ ...optionsFor(gateway), baseURL: `${gateway.url}/v1` });
}

export function anthropicOf(gateway: RunningGateway): Anthropic {
  return new Anthropic({ ...optionsFor(gateway), baseURL: gateway.url });
}
