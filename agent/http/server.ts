import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Agent } from "../compose.ts";
import type { Config } from "../config/schema.ts";
import { anomalyJson } from "../store/anomaly-event.ts";
import { addressOf, HttpError, isLoopback, readToken } from "./address.ts";
import { metricsOf } from "./metrics.ts";

/** A server that runs. */
export interface HttpServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serve `/metrics` (Prometheus), `/healthz` (it lives), `/readyz` (data flow and inference keeps up, else 503 with the
 * reasons), `/logs` (the last lines) and `/tap/STREAM` (what flows in it, a JSON object a line, until one leaves). Off the loopback interface only with a token, which clients send as `Authorization: Bearer`.
 *
 * @throws HttpError
 */
export const serveHttp = async (
  agent: Agent,
  config: Config["http"] & object,
  version: string,
  logLines: () => readonly string[] = () => [],
): Promise<HttpServer> => {
  const { host, port } = addressOf(config.listen);
  if (!isLoopback(host) && config.tokenFile === undefined) {
    throw new HttpError(
      `http.listen: expected a loopback address, or http.tokenFile beside it, got ${config.listen}`,
      78,
    );
  }
  const token = config.tokenFile === undefined ? undefined : readToken(config.tokenFile);
  const metrics = metricsOf(agent, version);
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (token !== undefined && !isBearer(request.headers.authorization, token)) {
      return send(response, 401, "text/plain", "expected a token, got none that fits\n", {
        "WWW-Authenticate": "Bearer",
      });
    }
    // A page of another site may resolve its own name to this machine; its browser still says which name it asked for.
    if (token === undefined && !isLoopback(hostOf(request.headers.host))) {
      return send(response, 403, "text/plain", "expected to be asked for by a loopback address\n");
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      return send(response, 405, "text/plain", `expected GET, got ${request.method}\n`, { Allow: "GET, HEAD" });
    }
    const path = request.url?.split("?")[0] ?? "";
    if (path.startsWith("/evidence/")) return sendEvidence(agent, decodeURIComponent(path.slice(10)), response);
    if (path.startsWith("/tap/")) return tapInto(agent, decodeURIComponent(path.slice(5)), response);
    switch (path) {
      case "/metrics": {
        const { type, text } = await metrics.render(request.headers.accept ?? "");
        return send(response, 200, type, text);
      }
      case "/healthz": {
        const { alive, reasons } = agent.health();
        return send(response, alive ? 200 : 503, "text/plain", alive ? "ok\n" : `${reasons.join("\n")}\n`);
      }
      case "/readyz": {
        const { alive: _, ...readiness } = agent.health();
        return send(response, readiness.ready ? 200 : 503, "application/json", `${JSON.stringify(readiness)}\n`);
      }
      case "/logs":
        return send(response, 200, "application/x-ndjson", logLines().join(""));
      default:
        return send(
          response,
          404,
          "text/plain",
          "expected /metrics, /healthz, /readyz, /logs, /tap/STREAM or /evidence/ID\n",
        );
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
    server.listen(port, host, resolve);
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

const sendEvidence = (agent: Agent, id: string, response: ServerResponse): void => {
  const [row, evidence] = [agent.store.get(id), agent.store.evidence(id)];
  if (row === undefined || evidence === undefined) {
    send(response, 404, "text/plain", `expected an anomaly whose signal is kept, got ${id}\n`);
    return;
  }
  const { startAtNs, sampleRateHz, channels, samples } = evidence;
  const signal = { startAtNs: String(startAtNs), sampleRateHz, channels, samples: [...samples] };
  send(response, 200, "application/json", `${JSON.stringify({ ...anomalyJson(row), evidence: signal })}\n`);
};

/** What a reader that does not keep up may leave unread; more is left out. */
const unreadBytes = 1_000_000;

const tapInto = (agent: Agent, stream: string, response: ServerResponse): void => {
  if (agent.streamSet.of(stream) === undefined) {
    send(response, 404, "text/plain", `expected a stream that there is, got ${stream}\n`);
    return;
  }
  response.writeHead(200, { "Content-Type": "application/x-ndjson", "Cache-Control": "no-store" }).flushHeaders();
  const leave = agent.tap.listen(stream, (record) => {
    if (response.writableLength < unreadBytes) response.write(`${JSON.stringify(record)}\n`);
  });
  response.on("close", leave);
};

/** Name or address in a Host header. */
const hostOf = (header: string | undefined): string => (header ?? "").replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");

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
