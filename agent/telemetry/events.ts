/**
 * What can happen to a running agent, as data: noun + past verb. Each event is one log line and one counter, so that
 * what is counted and what is written can never differ. Reasons are bounded words; details are sentences.
 */
export type AgentEvent =
  | { readonly name: "PayloadRejected"; readonly stream: string; readonly reason: string; readonly detail: string }
  | { readonly name: "MessageDropped"; readonly stream: string; readonly reason: "queue-full" | "stream-stopped" }
  | { readonly name: "MessageUnrouted"; readonly reason: "topic-not-configured"; readonly detail: string }
  | { readonly name: "SamplesDropped"; readonly stream: string; readonly reason: string; readonly count: number }
  | { readonly name: "ModelRefused"; readonly stream: string; readonly detail: string }
  | { readonly name: "StreamFailed"; readonly stream: string; readonly detail: string }
  | { readonly name: "AnomalyLost"; readonly stream: string; readonly detail: string }
  | { readonly name: "AnomalyInterrupted"; readonly stream: string; readonly detail: string }
  | { readonly name: "ConfigReloaded"; readonly detail: string }
  | { readonly name: "ConfigRejected"; readonly detail: string }
  | { readonly name: "MessagesRecovered"; readonly stream: string; readonly count: number; readonly detail: string }
  | { readonly name: "JournalFailed"; readonly detail: string }
  | { readonly name: "PublishFailed"; readonly detail: string }
  | { readonly name: "BrokerConnected"; readonly detail: string }
  | { readonly name: "BrokerLost"; readonly detail: string };

/** Writes one log line; pino's methods have this shape. */
export type LogLine = (fields: Record<string, unknown>, message: string) => void;

/** The part of a logger that the agent uses. */
export interface Log {
  readonly info: LogLine;
  readonly warn: LogLine;
  readonly error: LogLine;
}

/** Takes events. */
export type Emit = (event: AgentEvent) => void;

/** Level of each event; `error` means that data were lost or that a person is needed. */
const levels: Record<AgentEvent["name"], keyof Log> = {
  PayloadRejected: "warn",
  MessageDropped: "warn",
  MessageUnrouted: "warn",
  SamplesDropped: "warn",
  ModelRefused: "error",
  StreamFailed: "error",
  AnomalyLost: "error",
  AnomalyInterrupted: "warn",
  ConfigReloaded: "info",
  ConfigRejected: "error",
  MessagesRecovered: "info",
  JournalFailed: "error",
  PublishFailed: "warn",
  BrokerConnected: "info",
  BrokerLost: "warn",
};

/** Counts events and writes them to a log; an event that keeps coming is written the 1st, 10th, 100th … time. */
export class Telemetry {
  readonly #log: Log;
  readonly #counts = new Map<string, number>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Count an event and, unless it only repeats, write it. Can be passed on as it is. */
  readonly emit: Emit = (event) => {
    const { name, ...fields } = event;
    const { detail = name, ...rest } = fields as { detail?: string };
    const key = keyOf(event);
    const weight = "count" in event ? event.count : 1;
    const before = this.#counts.get(key) ?? 0;
    const after = before + weight;
    this.#counts.set(key, after);
    if (Math.floor(Math.log10(after)) === Math.floor(Math.log10(before))) return;
    this.#log[levels[name]]({ event: name, ...rest, total: after }, detail);
  };

  /** How often an event came, over all reasons or for one stream or reason. */
  count(name: AgentEvent["name"], only: { readonly stream?: string; readonly reason?: string } = {}): number {
    let total = 0;
    for (const [key, count] of this.#counts) {
      const [event, stream, reason] = key.split("|");
      const fits = (only.stream ?? stream) === stream && (only.reason ?? reason) === reason;
      if (event === name && fits) total += count;
    }
    return total;
  }

  /** All counters, by `Event|stream|reason`. */
  counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }
}

const keyOf = (event: AgentEvent): string =>
  [event.name, "stream" in event ? event.stream : "", "reason" in event ? event.reason : ""].join("|");
