import type { Agent } from "../agent.ts";
import { version } from "../version.ts";

/** How the agent is, as `{base}/bridge/health` and the request `health` tell it. */
export const healthReport = (agent: Agent, nowMs: number): Readonly<Record<string, unknown>> => {
  const { alive, ready, reasons, streams } = agent.health();
  return {
    at: new Date(nowMs).toISOString(),
    alive,
    ready,
    reasons,
    uptimeSeconds: Math.round(process.uptime()),
    memoryBytes: process.memoryUsage.rss(),
    eventsWaiting: agent.store.outbox.pendingCount(),
    streams: Object.fromEntries(
      agent.streams.map(({ name, messages, rejected, dropped, frames, anomalies }) => [
        name,
        { messages, rejected, dropped, frames, anomalies, ...streams[name] },
      ]),
    ),
  };
};

/** What the agent is, as `{base}/bridge/info` and the request `info` tell it. Nothing in it is secret. */
export const infoReport = ({ config }: Agent, commands: Iterable<string>): Readonly<Record<string, unknown>> => ({
  name: "ohmwatch",
  version: version(),
  node: process.version,
  chip: config.chip.device,
  commands: [...commands],
  streams: config.streams.map(({ name, pipeline, model, codec, topic }) => ({
    name,
    topic: topic ?? `${config.mqtt.base}/in/${name}`,
    codec,
    pipeline,
    model,
  })),
});
