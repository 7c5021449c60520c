import type { StreamStatistics } from "./stream-statistics.ts";

/** What the health of an agent is read from. */
export interface Observed {
  readonly streams: readonly StreamStatistics[];
  readonly waiting: (stream: string) => number;
  readonly isConnected: () => boolean;
  /** How old the last message of a stream may be, s; undefined: any age, also none yet. */
  readonly staleSeconds: () => number | undefined;
  /** Changes of anomalies that the disk did not take. */
  readonly heldChanges: () => number;
}

/** One stream as it is now. */
export interface StreamHealth {
  readonly waiting: number;
  /** Since its last message, s; null before the first. */
  readonly messageAgeSeconds: number | null;
  /** Since its last frame was classified, s. */
  readonly frameAgeSeconds: number | null;
  /** How far the last frame was behind this machine's clock when it was classified, by its sender's clock, s. */
  readonly lagSeconds: number | null;
  /** Seconds of signal in one of computing, over the last minute. */
  readonly realTimeFactor: number | null;
}

/** Whether an agent lives and works, and why not. */
export interface Health {
  /** False where messages wait and none is worked off: only a restart helps. */
  readonly alive: boolean;
  /** True while data flow and inference keeps up. */
  readonly ready: boolean;
  readonly reasons: readonly string[];
  readonly streams: Readonly<Record<string, StreamHealth>>;
}

/** A stream at one moment. */
interface Sample {
  readonly atSeconds: number;
  readonly messages: number;
  readonly rejected: number;
  readonly signalSeconds: number;
  readonly busySeconds: number;
  readonly waiting: number;
}

/** What is looked back on. */
const spanSeconds = 60;
/** A queue that has not moved for so long while something waited is wedged. */
const wedgedSeconds = 20;
/** So many payloads refused one after the other are no accident. */
const manyRejected = 10;
/** Signal without a frame that is too much, where frames came before: so many times the usual, and at least so many s. */
const silentFrames = 20;
const silentSeconds = 60;

/**
 * Watches an agent from within: `tick` it every few seconds. The verdict is a function of what the streams counted over
 * the last minute, so that an agent whose process answers but whose pipelines do not move is found out.
 */
export class HealthMonitor {
  readonly #observed: Observed;
  readonly #nowSeconds: () => number;
  readonly #samples = new Map<StreamStatistics, Sample[]>();

  /** @param nowSeconds seconds since 1970 */
  constructor(observed: Observed, nowSeconds: () => number) {
    this.#observed = observed;
    this.#nowSeconds = nowSeconds;
  }

  /** Take note of where the streams are. */
  tick(): void {
    const { streams, waiting } = this.#observed;
    const atSeconds = this.#nowSeconds();
    for (const gone of [...this.#samples.keys()].filter((key) => !streams.includes(key))) this.#samples.delete(gone);
    for (const stream of streams) {
      const { messages, rejected, signalSeconds, busySeconds, name } = stream;
      const sample = { atSeconds, messages, rejected, signalSeconds, busySeconds, waiting: waiting(name) };
      const samples = this.#samples.get(stream) ?? [];
      // A clock that was set back makes what was seen before it worthless.
      const kept = samples.filter((s) => s.atSeconds <= atSeconds && atSeconds - s.atSeconds <= spanSeconds);
      this.#samples.set(stream, [...kept, sample]);
    }
  }

  /** How the agent is. */
  verdict(): Health {
    const { streams, isConnected, heldChanges } = this.#observed;
    const reasons = isConnected() ? [] : ["broker: expected a connection, got none"];
    const held = heldChanges();
    if (held > 0) reasons.push(`database: expected a disk that takes writes, got ${held} changes held in memory`);
    const wedged = streams.flatMap((stream) => this.#wedged(stream));
    for (const stream of streams) reasons.push(...this.#reasonsOf(stream).map((reason) => `${stream.name}: ${reason}`));
    return {
      alive: wedged.length === 0,
      ready: reasons.length === 0 && wedged.length === 0,
      reasons: [...wedged, ...reasons],
      streams: Object.fromEntries(streams.map((stream) => [stream.name, this.#streamHealth(stream)])),
    };
  }

  #wedged(stream: StreamStatistics): readonly string[] {
    const samples = this.#samples.get(stream) ?? [];
    const last = samples.at(-1);
    const waitingNow = this.#observed.waiting(stream.name);
    if (last === undefined || waitingNow === 0 || stream.messages !== last.messages) return [];
    // The first of the samples since which nothing has moved.
    let since = last;
    for (const sample of samples.toReversed()) {
      if (sample.waiting === 0 || sample.messages !== last.messages) break;
      since = sample;
    }
    const stoodSeconds = this.#nowSeconds() - since.atSeconds;
    if (since.waiting === 0 || stoodSeconds < wedgedSeconds) return [];
    return [
      `${stream.name}: expected messages to be worked off, got ${waitingNow} that wait for ${Math.round(stoodSeconds)} s`,
    ];
  }

  #reasonsOf(stream: StreamStatistics): readonly string[] {
    const { stopped, queueLimit, name, lastMessageAtSeconds, isSourceDead } = stream;
    const reasons: string[] = [];
    if (isSourceDead) reasons.push("expected a sender that lives, got one that said it is gone");
    if (stopped !== undefined) reasons.push(`expected a stream that runs, got ${stopped}`);
    const waiting = this.#observed.waiting(name);
    if (waiting >= queueLimit) reasons.push(`expected fewer than ${queueLimit} waiting messages, got ${waiting}`);
    const factor = this.#realTimeFactor(stream);
    if (factor !== undefined && factor < 1) {
      reasons.push(`expected to keep up, got ${factor.toFixed(2)} s of signal worked off a second`);
    }
    const first = this.#samples.get(stream)?.[0];
    const messages = stream.messages - (first?.messages ?? 0);
    if (first !== undefined && messages >= manyRejected && stream.rejected - first.rejected === messages) {
      reasons.push(`expected payloads that can be read, got ${messages} that cannot, one after the other`);
    }
    const silent = stream.signalSeconds - stream.signalSecondsAtLastFrame;
    const usual = stream.signalSecondsAtLastFrame / stream.frames;
    if (stream.frames > 0 && silent > Math.max(silentSeconds, silentFrames * usual)) {
      reasons.push(
        `expected a frame at least every ${usual.toFixed(1)} s, got none in ${Math.round(silent)} s of signal`,
      );
    }
    const staleSeconds = this.#observed.staleSeconds();
    const age = lastMessageAtSeconds === undefined ? undefined : this.#nowSeconds() - lastMessageAtSeconds;
    if (staleSeconds !== undefined && (age === undefined || age > staleSeconds)) {
      const got = age === undefined ? "none yet" : `one of ${Math.round(age)} s`;
      reasons.push(`expected a message younger than ${staleSeconds} s, got ${got}`);
    }
    return reasons;
  }

  /** Over the last minute; undefined where too little came to tell. */
  #realTimeFactor(stream: StreamStatistics): number | undefined {
    const first = this.#samples.get(stream)?.[0];
    if (first === undefined) return undefined;
    const signal = stream.signalSeconds - first.signalSeconds;
    const busy = stream.busySeconds - first.busySeconds;
    return busy > 0.1 && signal > 0 ? signal / busy : undefined;
  }

  #streamHealth(stream: StreamStatistics): StreamHealth {
    const since = (atSeconds: number | undefined): number | null =>
      atSeconds === undefined ? null : this.#nowSeconds() - atSeconds;
    return {
      waiting: this.#observed.waiting(stream.name),
      messageAgeSeconds: since(stream.lastMessageAtSeconds),
      frameAgeSeconds: since(stream.lastFrameAtSeconds),
      lagSeconds: stream.lagSeconds ?? null,
      realTimeFactor: this.#realTimeFactor(stream) ?? stream.realTimeFactor ?? null,
    };
  }
}
