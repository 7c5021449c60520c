/**
 * What can happen to a running agent, as data: noun + past verb. Each event is one log line and one counter, so that
 * what is counted and what is written can never differ. Reasons are bounded words; details are sentences.
 */
export type AgentEvent =
  | { readonly name: "PayloadRejected"; readonly stream: string; readonly reason: string; readonly detail: string }
  | {
      readonly name: "MessageDropped";
      readonly stream: string;
      readonly reason: "queue-full" | "stream-stopped" | "retained";
    }
  | { readonly name: "MessageUnrouted"; readonly reason: "topic-not-configured"; readonly detail: string }
  | { readonly name: "SamplesDropped"; readonly stream: string; readonly reason: string; readonly count: number }
  | { readonly name: "SamplesRepaired"; readonly stream: string; readonly reason: string; readonly count: number }
  | { readonly name: "ModelRefused"; readonly stream: string; readonly detail: string }
  | { readonly name: "StreamFailed"; readonly stream: string; readonly detail: string }
  | { readonly name: "AnomalyLost"; readonly stream: string; readonly detail: string }
  | { readonly name: "AnomalyInterrupted"; readonly stream: string; readonly detail: string }
  | { readonly name: "ModelInstalling" | "ModelSwapped" | "ModelInstalled"; readonly detail: string }
  | { readonly name: "ModelRolledBack"; readonly detail: string }
  | { readonly name: "ConfigReloaded"; readonly detail: string }
  | { readonly name: "ConfigRejected"; readonly detail: string }
  | { readonly name: "SourceDied"; readonly stream: string; readonly detail: string }
  | { readonly name: "MessagesRecovered"; readonly stream: string; readonly count: number; readonly detail: string }
  | { readonly name: "JournalFailed"; readonly detail: string }
  | { readonly name: "AlarmUnshelved"; readonly stream: string; readonly detail: string }
  | { readonly name: "ChipProgrammed"; readonly model: string; readonly detail: string }
  | { readonly name: "ChipCaredFor"; readonly model: string; readonly reason: string; readonly detail: string }
  | { readonly name: "ChipRefused"; readonly model: string; readonly detail: string }
  | { readonly name: "ChipDamaged"; readonly detail: string }
  | { readonly name: "ChipClockDoubted"; readonly detail: string }
  | { readonly name: "ChipsResumed"; readonly detail: string }
  | { readonly name: "LabelLeftOut"; readonly stream: string; readonly detail: string }
  | {
      readonly name: "ChipTemperatureDoubted" | "ChipTemperatureLost" | "ChipTemperatureFound";
      readonly detail: string;
    }
  | { readonly name: "UpkeepFailed"; readonly detail: string }
  | { readonly name: "DatabaseFailed"; readonly detail: string }
  | { readonly name: "DatabaseRecovered"; readonly detail: string }
  | { readonly name: "DatabaseReplaced"; readonly detail: string }
  | { readonly name: "StatisticsDropped"; readonly reason: "ring-full" | "disk"; readonly count: number }
  | { readonly name: "ServiceFailed"; readonly detail: string }
  | { readonly name: "SubscriptionRefused"; readonly detail: string }
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
  ChipProgrammed: "info",
  ChipCaredFor: "info",
  ChipRefused: "error",
  ChipDamaged: "warn",
  ChipClockDoubted: "warn",
  ChipsResumed: "info",
  LabelLeftOut: "warn",
  ChipTemperatureDoubted: "warn",
  ChipTemperatureLost: "warn",
  ChipTemperatureFound: "info",
  UpkeepFailed: "error",
  MessageDropped: "warn",
  MessageUnrouted: "warn",
  SamplesDropped: "warn",
  SamplesRepaired: "info",
  ModelRefused: "error",
  StreamFailed: "error",
  AnomalyLost: "error",
  AnomalyInterrupted: "warn",
  ModelInstalling: "info",
  ModelSwapped: "info",
  ModelInstalled: "info",
  ModelRolledBack: "error",
  ConfigReloaded: "info",
  ConfigRejected: "error",
  SourceDied: "warn",
  MessagesRecovered: "info",
  JournalFailed: "error",
  AlarmUnshelved: "info",
  DatabaseFailed: "error",
  DatabaseRecovered: "warn",
  DatabaseReplaced: "error",
  StatisticsDropped: "warn",
  ServiceFailed: "error",
  SubscriptionRefused: "error",
  PublishFailed: "warn",
  BrokerConnected: "info",
  BrokerLost: "warn",
};

/** Level of an event. */
export const levelOf = (name: AgentEvent["name"]): keyof Log => levels[name];

/** How long an event that keeps coming is only counted after it was written. */
const quietMs = 60_000;

/** Told by people or about them, and rare: each is written. */
const alwaysWritten: ReadonlySet<AgentEvent["name"]> = new Set([
  "ConfigReloaded",
  "ConfigRejected",
  "ModelRefused",
  "ModelInstalling",
  "ModelSwapped",
  "ModelInstalled",
  "ModelRolledBack",
]);

interface Quiet {
  untilMs: number;
  /** How many were not written since, and the last of them. */
  held: number;
  last: AgentEvent;
}

/**
 * Counts events and writes them to a log. One that keeps coming, by name, stream and reason, is written once a minute:
 * the first at once, the rest of the minute as the last of them with how many it stands for.
 */
export class Telemetry {
  readonly #log: Log;
  readonly #nowMs: () => number;
  readonly #counts = new Map<string, number>();
  readonly #quiet = new Map<string, Quiet>();

  /** @param nowMs milliseconds of any steady clock */
  constructor(log: Log, nowMs: () => number = () => performance.now()) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  /** Count an event and, unless it only repeats, write it. Can be passed on as it is. */
  readonly emit: Emit = (event) => {
    const key = keyOf(event);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + ("count" in event ? event.count : 1));
    if (alwaysWritten.has(event.name)) return this.#write(event, 0);
    const quiet = this.#quiet.get(key);
    if (quiet === undefined || this.#nowMs() >= quiet.untilMs) {
      this.#write(event, quiet?.held ?? 0);
      this.#quiet.set(key, { untilMs: this.#nowMs() + quietMs, held: 0, last: event });
    } else {
      quiet.held++;
      quiet.last = event;
    }
  };

  /** Write what was held back for a minute, or, at the end, all of it. Call it every few seconds. */
  flush(all = false): void {
    for (const [key, quiet] of this.#quiet) {
      if (!all && this.#nowMs() < quiet.untilMs) continue;
      if (quiet.held > 0) this.#write(quiet.last, quiet.held - 1);
      if (all || quiet.held === 0) this.#quiet.delete(key);
      else Object.assign(quiet, { untilMs: this.#nowMs() + quietMs, held: 0 });
    }
  }

  /** @param repeated how many like it were not written */
  #write(event: AgentEvent, repeated: number): void {
    const { name, ...fields } = event;
    const { detail = name, ...rest } = fields as { detail?: string };
    const total = this.#counts.get(keyOf(event));
    this.#log[levels[name]]({ event: name, ...rest, total, ...(repeated > 0 && { repeated }) }, detail);
  }

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
