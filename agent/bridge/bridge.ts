import type { Agent } from "../agent.ts";
import { guarded } from "../guarded.ts";
import { commandsOf } from "./commands.ts";
import { healthReport, infoReport } from "./reports.ts";
import { answerRequests } from "./requests.ts";

/** How often the agent tells how it is. */
const healthEveryMs = 60_000;

/** The agent as seen over MQTT, until it is stopped. */
export interface Bridge {
  stop(): void;
}

/**
 * Tell over MQTT what the agent is (`{base}/bridge/info`) and how it is (`{base}/bridge/health`, at each connection and
 * every minute), both retained, and answer requests. `{base}/bridge/state` belongs to the connection and its will.
 */
export const startBridge = (agent: Agent, nowMs: () => number = Date.now): Bridge => {
  const { connection } = agent;
  const { base } = agent.config.mqtt;
  const commands = commandsOf(agent, nowMs);
  const tell = (what: "info" | "health", report: Readonly<Record<string, unknown>>): void => {
    // Told again at the next connection, or in a minute.
    connection.publish(`${base}/bridge/${what}`, JSON.stringify(report), { retain: true }).catch(() => {});
  };
  connection.onConnect(() => {
    tell("info", infoReport(agent, commands.keys()));
    tell("health", healthReport(agent, nowMs()));
  });
  answerRequests(connection, base, commands);
  const tellHealth = guarded(agent.telemetry.emit, () => {
    if (connection.isConnected()) tell("health", healthReport(agent, nowMs()));
  });
  const timer = setInterval(tellHealth, healthEveryMs).unref();
  return { stop: () => clearInterval(timer) };
};
