import { Counter, Gauge, Histogram, type OpenMetricsContentType, Registry } from "prom-client";
import type { Agent } from "../compose.ts";
import { type AgentEvent, levelOf } from "../telemetry/events.ts";
import { chipMetrics } from "./chip-metrics.ts";

const severities = ["critical", "major", "minor", "warning"] as const;

/**
 * The agent as Prometheus sees it: names in pairs as Vector has them (received, sent, discarded, errors by component),
 * base units, labels from the configuration alone, so that their number is bounded. Values are read when asked for.
 */
export const metricsOf = (agent: Agent, version: string): Exposition => {
  const plain = new Registry();
  const open = new Registry<OpenMetricsContentType>();
  open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const registers = [plain, open];
  const { telemetry, store, connection } = agent;

  const gauge = (name: string, help: string, labelNames: readonly string[], collect: (gauge: Gauge) => void): void => {
    new Gauge({
      name: `ohmwatch_${name}`,
      help,
      labelNames: [...labelNames],
      registers,
      collect() {
        collect(this);
      },
    });
  };
  const counter = (
    name: string,
    help: string,
    labelNames: readonly string[],
    collect: (counter: Counter) => void,
  ): void => {
    new Counter({
      name: `ohmwatch_${name}_total`,
      help,
      labelNames: [...labelNames],
      registers,
      collect() {
        this.reset();
        collect(this);
      },
    });
  };

  chipMetrics(agent.chips, gauge);
  gauge("build_info", "Version of the program.", ["version"], (g) => g.set({ version }, 1));
  gauge("alive", "0 where messages wait and none is worked off.", [], (g) => g.set(agent.health().alive ? 1 : 0));
  gauge("ready", "1 while data flow and inference keeps up.", [], (g) => g.set(agent.health().ready ? 1 : 0));
  gauge("broker_connected", "Whether the broker is connected.", [], (g) => g.set(connection.isConnected() ? 1 : 0));
  gauge("outbox_events", "Events that the broker has not acknowledged yet.", [], (g) =>
    g.set(store.outbox.pendingCount()),
  );
  gauge("alarms_active", "Anomalies that have not ended.", ["severity"], (g) => {
    const active = store.list({ state: "active" });
    for (const severity of severities) g.set({ severity }, active.filter((row) => row.severity === severity).length);
  });
  gauge("stream_up", "Whether the stream runs; 0: its model was refused.", ["component"], (g) => {
    for (const { name, stopped } of agent.streams) g.set({ component: name }, stopped === undefined ? 1 : 0);
  });
  const gaugePerStream = (
    name: string,
    help: string,
    value: (stream: Agent["streams"][number]) => number | null | undefined,
  ): void =>
    gauge(name, help, ["component"], (g) => {
      g.reset();
      for (const stream of agent.streams) {
        const known = value(stream);
        if (known !== undefined && known !== null) g.set({ component: stream.name }, known);
      }
    });
  gaugePerStream("stream_last_message_timestamp_seconds", "When the last message came.", (s) => s.lastMessageAtSeconds);
  gaugePerStream(
    "stream_last_frame_timestamp_seconds",
    "When the last frame was classified.",
    (s) => s.lastFrameAtSeconds,
  );
  gaugePerStream(
    "window_lag_seconds",
    "From the end of the last frame, by its sender's clock, to its classification.",
    (s) => s.lagSeconds,
  );
  gaugePerStream(
    "real_time_factor_ratio",
    "Seconds of signal worked off in one of computing, over the last minute.",
    (s) => agent.health().streams[s.name]?.realTimeFactor,
  );
  gaugePerStream("buffer_size_events", "Messages that wait.", ({ name }) => agent.waiting(name));
  gaugePerStream("buffer_max_size_events", "Messages that may wait.", ({ queueLimit }) => queueLimit);

  const perStream = (name: string, help: string, value: (stream: Agent["streams"][number]) => number): void =>
    counter(name, help, ["component"], (c) => {
      for (const stream of agent.streams) c.inc({ component: stream.name }, value(stream));
    });
  perStream("component_received_events", "Messages received.", ({ messages }) => messages);
  perStream("component_sent_events", "Anomalies raised.", ({ anomalies }) => anomalies);
  perStream("frames", "Frames classified.", ({ frames }) => frames);
  perStream("late_frames", "Blocks that came after their turn was over, and were left out.", (s) => s.lateBlocks);
  perStream("stream_gap_samples", "Samples that were missing and were interpolated.", (s) => s.interpolatedSamples);
  perStream("signal_seconds", "Length of the signal that came in.", ({ signalSeconds }) => signalSeconds);
  perStream("busy_seconds", "Time spent in codec, pipeline, network and store.", ({ busySeconds }) => busySeconds);
  counter("classifications", "Frames by the label given.", ["component", "label"], (c) => {
    for (const { name, classifications } of agent.streams) {
      for (const [label, count] of classifications) c.inc({ component: name, label }, count);
    }
  });
  const discarded = ["component", "reason", "intentional"];
  counter("component_discarded_events", "Messages and samples lost.", discarded, (c) => {
    for (const { name } of agent.streams) c.inc({ component: name, reason: "queue-full", intentional: "true" }, 0);
    for (const { name, component, reason, count } of events(telemetry.counts())) {
      if (discards.has(name)) c.inc({ component, reason, intentional: String(byDesign.has(reason)) }, count);
    }
  });
  counter("component_errors", "Events that tell of a fault.", ["component", "error_type", "stage", "reason"], (c) => {
    for (const { name, component, reason, count } of events(telemetry.counts())) {
      if (discards.has(name) || levelOf(name) === "info") continue;
      c.inc({ component, error_type: name, stage: stages[name] ?? "processing", reason }, count);
    }
  });

  const histogram = (name: string, help: string, buckets: number[]): Histogram<"component"> =>
    new Histogram({ name: `ohmwatch_${name}_seconds`, help, labelNames: ["component"], buckets, registers });
  const message = histogram(
    "message_duration",
    "From a message to its decisions: codec, pipeline, network and store.",
    [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1],
  );
  const inference = histogram(
    "inference_duration",
    "One pass of the network over one frame.",
    [0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1],
  );
  agent.streamSet.onWorked = (component, seconds) => message.observe({ component }, seconds);
  agent.streamSet.onInferred = (component, seconds) => inference.observe({ component }, seconds);
  return {
    // OpenMetrics where it is asked for, as Prometheus does; else the older text, which everything reads.
    render: async (accept) => {
      const registry = /application\/openmetrics-text/.test(accept) ? open : plain;
      return { type: registry.contentType, text: await registry.metrics() };
    },
  };
};

/** What Prometheus is given. */
export interface Exposition {
  /** @param accept what the client takes, as its Accept header says */
  render(accept: string): Promise<{ readonly type: string; readonly text: string }>;
}

const discards: ReadonlySet<AgentEvent["name"]> = new Set(["MessageDropped", "SamplesDropped"]);

/** Reasons that a policy of the configuration has; what else is lost is nobody's wish. */
const byDesign: ReadonlySet<string> = new Set(["queue-full", "retained", "late", "repeated"]);

/** Where on the way a fault lies, in Vector's words; else `processing`. */
const stages: Partial<Record<AgentEvent["name"], "receiving" | "sending">> = {
  BrokerLost: "receiving",
  MessageUnrouted: "receiving",
  PayloadRejected: "receiving",
  PublishFailed: "sending",
};

function* events(counts: ReadonlyMap<string, number>) {
  for (const [key, count] of counts) {
    const [name = "", component = "", reason = ""] = key.split("|");
    yield { name: name as AgentEvent["name"], component: component === "" ? "agent" : component, reason, count };
  }
}
