import type { Config } from "../config/schema.ts";
import { addressOf, readToken } from "./address.ts";

/** A running agent that answers over HTTP. */
export interface AskedAgent {
  readonly url: string;
  /** Its answer, whatever the status. */
  get(path: string): Promise<{ readonly status: number; readonly text: string }>;
  /** The lines of an answer that goes on, once it has begun. @throws when it is refused or broken off */
  lines(path: string, signal: AbortSignal): Promise<AsyncIterable<string>>;
}

/** How long an answer may take. */
const answerMs = 5000;

/** The agent that runs with these settings, or undefined where none answers. */
export const askAgent = async (http: NonNullable<Config["http"]>): Promise<AskedAgent | undefined> => {
  const agent = agentAt(http);
  try {
    await agent.get("/healthz");
    return agent;
  } catch {
    return undefined;
  }
};

/** The same without asking whether it is there. @throws HttpError where the token cannot be read */
export const agentAt = ({ listen, tokenFile }: NonNullable<Config["http"]>): AskedAgent => {
  const url = urlOf(listen);
  const headers: Record<string, string> =
    tokenFile === undefined ? {} : { authorization: `Bearer ${readToken(tokenFile).toString("utf8")}` };
  return {
    url,
    get: async (path) => {
      const response = await fetch(`${url}${path}`, { headers, signal: AbortSignal.timeout(answerMs) });
      return { status: response.status, text: await response.text() };
    },
    lines: async (path, signal) => {
      const response = await fetch(`${url}${path}`, { headers, signal });
      if (response.ok && response.body !== null) return linesOf(response.body);
      throw new Error(`${url}${path}: expected an answer, got ${response.status} ${await response.text()}`);
    },
  };
};

async function* linesOf(body: NonNullable<Response["body"]>): AsyncGenerator<string> {
  let rest = "";
  for await (const part of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

/** An address that is listened at on all interfaces is asked at on loopback. */
const urlOf = (listen: string): string => {
  const { host, port } = addressOf(listen);
  const reached = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${reached.includes(":") ? `[${reached}]` : reached}:${port}`;
};
