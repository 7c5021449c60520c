import { timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Agent } from "../compose.ts";
import type { Config } from "../config/schema.ts";
import { readinessOf } from "./health.ts";
import { metricsOf } from "./metrics.ts";

/** An address that cannot be served. Exit code 78 where the configuration is wrong, 69 where it is taken. */
export class HttpError extends Error {
  readonly exitCode: 69 | 78;

  constructor(message: string, exitCode: 69 | 78) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A server that runs. */
export interface HttpServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serve `/metrics` (Prometheus), `/healthz` (the process answers) and `/readyz` (data flow and inference keeps up, else
 * 503 with the reasons). Off the loopback interface only with a token, which clients send as `Authorization: Bearer`.
 *
 * @throws HttpError
 */
export const serveHttp = async (
  agent: Agent,
  config: Config["http"] & object,
  version: string,
): Promise<HttpServer> => {
  const [, host = "", port = ""] = /^(?:\[(?=.*\]))?([^\]]+)\]?:(\d+)$/.exec(config.listen) ?? [];
  if (!["127.0.0.1", "::1", "localhost"].includes(host) && config.tokenFile === undefined) {
    throw new HttpError(
      `http.listen: expected a loopback address, or http.tokenFile beside it, got ${config.listen}`,
      78,
    );
  }
  const token = config.tokenFile === undefined ? undefined : readToken(config.tokenFile);
  const registry = metricsOf(agent, version);
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (token !== undefined && !isBearer(request.headers.authorization, token)) {
      return send(response, 401, "text/plain", "expected a token, got none that fits\n", {
        "WWW-Authenticate": "Bearer",
      });
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      return send(response, 405, "text/plain", `expected GET, got ${request.method}\n`, { Allow: "GET, HEAD" });
    }
    switch (request.url?.split("?")[0]) {
      case "/metrics":
        return send(response, 200, registry.contentType, await registry.metrics());
      case "/healthz":
        return send(response, 200, "text/plain", "ok\n");
      case "/readyz": {
        const readiness = readinessOf(agent, agent.config.http?.staleSeconds, Date.now() / 1000);
        const body = `${JSON.stringify(readiness)}\n`;
        return send(response, readiness.ready ? 200 : 503, "application/json", body);
      }
      default:
        return send(response, 404, "text/plain", "expected /metrics, /healthz or /readyz\n");
    }
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => send(response, 500, "text/plain", `${error}\n`));
  });
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(new HttpError(`http.listen: ${config.listen} is not to be had: ${error.message}`, 69)),
    );
    server.listen(Number(port), host, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const readToken = (file: string): Buffer => {
  try {
    const line = readFileSync(file, "utf8").split("\n")[0]!.trim();
    if (line.length >= 16) return Buffer.from(line);
    throw new Error(`expected a first line of at least 16 letters, got ${line.length}`);
  } catch (error) {
    throw new HttpError(`http.tokenFile: ${file}: ${error instanceof Error ? error.message : error}`, 78);
  }
};

const isBearer = (header: string | undefined, token: Buffer): boolean => {
  const given = Buffer.from(/^Bearer (.+)$/.exec(header ?? "")?.[1] ?? "");
  return given.length === token.length && timingSafeEqual(given, token);
};

const send = (
  response: ServerResponse,
  status: number,
  type: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void => {
  response.writeHead(status, { "Content-Type": type, "Cache-Control": "no-store", ...headers }).end(body);
};
