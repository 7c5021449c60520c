import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Agent } from "../compose.ts";

const severities = ["critical", "major", "minor", "warning"] as const;

/**
 * The agent as Prometheus sees it: names in pairs as Vector has them (received, sent, discarded, errors by component),
 * base units, labels from the configuration alone, so that their number is bounded. Values are read when asked for.
 */
export const metricsOf = (agent: Agent, version: string): Registry => {
  const registry = new Registry();
  const registers = [registry];
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

  gauge("build_info", "Version of the program.", ["version"], (g) => g.set({ version }, 1));
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
  gauge("stream_last_message_timestamp_seconds", "When the last message came.", ["component"], (g) => {
    for (const { name, lastMessageAtSeconds } of agent.streams) {
      if (lastMessageAtSeconds !== undefined) g.set({ component: name }, lastMessageAtSeconds);
    }
  });
  gauge("buffer_size_events", "Messages that wait.", ["component"], (g) => {
    for (const { name } of agent.streams) g.set({ component: name }, agent.waiting(name));
  });

  const perStream = (name: string, help: string, value: (stream: Agent["streams"][number]) => number): void =>
    counter(name, help, ["component"], (c) => {
      for (const stream of agent.streams) c.inc({ component: stream.name }, value(stream));
    });
  perStream("component_received_events", "Messages received.", ({ messages }) => messages);
  perStream("component_sent_events", "Anomalies raised.", ({ anomalies }) => anomalies);
  perStream("frames", "Frames classified.", ({ frames }) => frames);
  perStream("signal_seconds", "Length of the signal that came in.", ({ signalSeconds }) => signalSeconds);
  perStream("busy_seconds", "Time spent in codec, pipeline, network and store.", ({ busySeconds }) => busySeconds);
  counter("classifications", "Frames by the label given.", ["component", "label"], (c) => {
    for (const { name, classifications } of agent.streams) {
      for (const [label, count] of classifications) c.inc({ component: name, label }, count);
    }
  });
  counter("component_discarded_events", "Messages and samples lost.", ["component", "reason"], (c) => {
    for (const { name, component, reason, count } of events(telemetry.counts())) {
      if (name === "MessageDropped" || name === "SamplesDropped") c.inc({ component, reason }, count);
    }
  });
  counter("component_errors", "Events that tell of a fault.", ["component", "error_type", "reason"], (c) => {
    for (const { name, component, reason, count } of events(telemetry.counts())) {
      if (!["MessageDropped", "SamplesDropped", "BrokerConnected"].includes(name)) {
        c.inc({ component, error_type: name, reason }, count);
      }
    }
  });

  const duration = new Histogram({
    name: "ohmwatch_message_duration_seconds",
    help: "From a message to its decisions: codec, pipeline, network and store.",
    labelNames: ["component"],
    buckets: [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1],
    registers,
  });
  agent.streamSet.onWorked = (component, seconds) => duration.observe({ component }, seconds);
  return registry;
};

function* events(counts: ReadonlyMap<string, number>) {
  for (const [key, count] of counts) {
    const [name = "", component = "", reason = ""] = key.split("|");
    yield { name, component: component === "" ? "agent" : component, reason, count };
  }
}
