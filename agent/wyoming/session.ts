import type { AnomalyChange, SampleBlock } from "../../pipelines/signal.ts";
import { sampleTimeNs } from "../recordings/recording.ts";
import { decodePcm } from "../recordings/wav.ts";
import { ProtocolError, type WyomingEvent } from "./protocol.ts";

/** A pipeline that listens. */
export interface Listening {
  block(block: SampleBlock): void;
  /** End it: open anomalies end. */
  stop(): void;
}

/** What a session needs of its surroundings. */
export interface SessionParts {
  readonly stream: string;
  /** Begin a pipeline; `onChange` is told what it raises. */
  readonly listen: (onChange: (change: AnomalyChange) => void) => Listening;
  /** What the server offers, as data of `info`. */
  readonly info: () => Readonly<Record<string, unknown>>;
  readonly say: (type: string, data?: Readonly<Record<string, unknown>>) => void;
  readonly nowNs: () => bigint;
}

interface Sound {
  readonly listening: Listening;
  readonly startAtNs: bigint;
  /** By the peer's clock, ms. */
  readonly timestampMs: number;
  readonly rateHz: number;
  readonly channels: number;
  readonly format: "s16le" | "s24le";
  /** Time steps so far. */
  rows: number;
  isDetected: boolean;
}

/**
 * One peer of the wake-word service:
 *
 *   describe → info · detect {names} · audio-start, audio-chunk …, audio-stop → detection {name, timestamp} …, not-detected
 *
 * Each audio-start begins a pipeline of its own. `detection` names the label and its time by the peer's clock;
 * `not-detected` comes at audio-stop where nothing was.
 */
export class WakeSession {
  readonly #parts: SessionParts;
  #names: ReadonlySet<string> | undefined;
  #sound: Sound | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** Take an event; one that is not ours is left out, as the protocol wants it. @throws ProtocolError */
  take({ type, data, payload }: WyomingEvent): void {
    const { say, info } = this.#parts;
    if (type === "describe") say("info", info());
    else if (type === "ping") say("pong", data);
    else if (type === "detect") this.#names = namesOf(data["names"]);
    else if (type === "audio-start") this.#begin(data);
    else if (type === "audio-chunk") this.#chunk(data, payload);
    else if (type === "audio-stop") this.#end();
  }

  /** The peer left. */
  close(): void {
    this.#sound?.listening.stop();
    this.#sound = undefined;
  }

  #begin(data: WyomingEvent["data"]): Sound {
    this.close();
    const [rateHz, width, channels] = [
      integer(data, "rate", 1000, 384_000),
      integer(data, "width", 2, 3),
      integer(data, "channels", 1, 8),
    ];
    const timestamp = data["timestamp"];
    const { listen, nowNs } = this.#parts;
    this.#sound = {
      listening: listen((change) => this.#heard(change)),
      startAtNs: nowNs(),
      timestampMs: typeof timestamp === "number" ? timestamp : 0,
      rateHz,
      channels,
      format: width === 2 ? "s16le" : "s24le",
      rows: 0,
      isDetected: false,
    };
    return this.#sound;
  }

  #chunk(data: WyomingEvent["data"], payload: Uint8Array): void {
    const sound = this.#sound ?? this.#begin(data);
    const all = decodePcm(payload, sound.format);
    const rows = Math.floor(all.length / sound.channels);
    if (rows === 0) return;
    // The model hears one channel: the first.
    const samples =
      sound.channels === 1 ? all : Float32Array.from({ length: rows }, (_, i) => all[i * sound.channels]!);
    const startAtNs = sampleTimeNs(sound.startAtNs, sound.rows, sound.rateHz);
    sound.rows += rows;
    const { stream } = this.#parts;
    sound.listening.block({ stream, startAtNs, sampleRateHz: sound.rateHz, channels: ["signal"], samples });
  }

  #heard({ type, anomaly }: AnomalyChange): void {
    const sound = this.#sound;
    if (type !== "new" || sound === undefined || !(this.#names?.has(anomaly.kind) ?? true)) return;
    sound.isDetected = true;
    const timestamp = sound.timestampMs + Math.round(Number(anomaly.toNs - sound.startAtNs) / 1e6);
    this.#parts.say("detection", { name: anomaly.kind, timestamp });
  }

  #end(): void {
    const sound = this.#sound;
    if (sound === undefined) return;
    sound.listening.stop(); // what it still owed it has told now
    if (!sound.isDetected) this.#parts.say("not-detected");
    this.#sound = undefined;
  }
}

const namesOf = (names: unknown): ReadonlySet<string> | undefined => {
  const words = Array.isArray(names) ? names.filter((name): name is string => typeof name === "string") : [];
  return words.length === 0 ? undefined : new Set(words);
};

const integer = (data: WyomingEvent["data"], key: string, min: number, max: number): number => {
  const value = data[key];
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    throw new ProtocolError(`${key}: expected an integer ${min} … ${max}, got ${JSON.stringify(value) ?? "nothing"}`);
  }
  return value;
};
