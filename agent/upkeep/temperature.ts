import { codecByName, type DecodeResult } from "../codecs/codec.ts";
import type { Config } from "../config/schema.ts";
import type { Connection } from "../mqtt/connection.ts";
import type { Emit } from "../telemetry/events.ts";
import type { LivingChip } from "./living-chip.ts";

/** A chip hears of a temperature that is off by so much, °C: each change brings all of its devices to a new state. */
const stepCelsius = 0.5;
/** Temperatures that can be: what electronics are made for. */
const leastCelsius = -40;
const mostCelsius = 125;

/** A chip that is so much warmer or colder than when it was calibrated is calibrated anew, °C: some 5 % of a conductance. */
const calibrateCelsius = 5;

/** Why a chip should be calibrated for the temperature's sake, or undefined. */
export const warmedSince = ({ knowledge: { time, calibratedCelsius }, plan }: LivingChip): string | undefined => {
  if (calibratedCelsius === undefined || plan.device.temperature === undefined) return undefined;
  if (Math.abs(time.celsius - calibratedCelsius) < calibrateCelsius) return undefined;
  return `It went from ${calibratedCelsius.toFixed(1)} °C to ${time.celsius.toFixed(1)} °C.`;
};

/** What a feed needs beside the settings. */
export interface TemperatureSurroundings {
  readonly emit: Emit;
  /** Milliseconds of a clock that only goes forward. */
  readonly steadyMs: () => number;
}

/**
 * The temperature of the chips as a stream tells it:
 *
 *   heard      the last reading of the channel, taken over when it is 0.5 °C off what is held
 *   not yet    undefined: a chip keeps the one that it last had
 *   stale      `staleSeconds` without a reading that can be: `chip.celsius`, until one comes
 *
 * A reading below −40 °C, above 125 °C or that is no number is told and left out: one bad reading changes nothing, a
 * sensor that gives nothing else becomes stale. Without `chip.temperature` it is `chip.celsius`.
 */
export class TemperatureFeed {
  readonly #settings: Config["chip"]["temperature"];
  readonly #constant: number;
  readonly #emit: Emit;
  readonly #steadyMs: () => number;
  #heardAtMs: number;
  #held: number | undefined;
  #isLost = false;

  constructor({ temperature, celsius }: Config["chip"], { emit, steadyMs }: TemperatureSurroundings) {
    this.#settings = temperature;
    this.#constant = celsius;
    this.#emit = emit;
    this.#steadyMs = steadyMs;
    this.#heardAtMs = steadyMs();
  }

  /** The temperature to be taken now, °C; undefined: none is known yet. */
  get celsius(): number | undefined {
    const { isStale, name, seconds } = this.#now();
    if (this.#settings === undefined) return this.#constant;
    if (isStale && !this.#isLost) {
      this.#isLost = true;
      const detail = `${name}: no temperature for ${seconds} s; the chips are taken to have ${this.#constant} °C.`;
      this.#emit({ name: "ChipTemperatureLost", detail });
    }
    return isStale ? this.#constant : this.#held;
  }

  /** Where the temperature comes from now: `constant`, or the name of the stream or topic. */
  get source(): string {
    const { isStale, name } = this.#now();
    return isStale ? "constant" : name;
  }

  /** Take what was decoded of a stream: its last reading of the channel, where it is the one that is listened to. */
  decoded(stream: string, result: DecodeResult): void {
    if (this.#settings === undefined || stream !== this.#now().name) return;
    const { channel, topic } = this.#settings;
    if (!result.ok) {
      // What a stream refuses is told by the stream.
      if (topic !== undefined) this.#doubt(`${stream}: ${result.error.detail}`);
      return;
    }
    const last = result.blocks.at(-1);
    if (last === undefined) return;
    const place = last.channels.indexOf(channel);
    if (place < 0) {
      this.#doubt(`${stream}: expected a channel ${channel}, got ${last.channels.join(", ").slice(0, 100)}`);
      return;
    }
    this.#take(last.samples[last.samples.length - last.channels.length + place]!, stream);
  }

  /** Take a reading. */
  #take(celsius: number, stream: string): void {
    if (!(celsius >= leastCelsius && celsius <= mostCelsius)) {
      const expected = `expected ${leastCelsius} … ${mostCelsius} °C`.replaceAll("-", "−");
      this.#doubt(`${stream}: ${expected}, got ${Number.isNaN(celsius) ? "no number" : celsius}; left out`);
      return;
    }
    if (this.#now().isStale && this.#isLost) {
      this.#emit({ name: "ChipTemperatureFound", detail: `${stream}: the temperature is heard again.` });
    }
    this.#isLost = false;
    this.#heardAtMs = this.#steadyMs();
    if (this.#held === undefined || Math.abs(celsius - this.#held) >= stepCelsius) this.#held = celsius;
  }

  #doubt(detail: string): void {
    this.#emit({ name: "ChipTemperatureDoubted", detail });
  }

  #now(): { readonly isStale: boolean; readonly name: string; readonly seconds: number } {
    if (this.#settings === undefined) return { isStale: true, name: "constant", seconds: 0 };
    const { staleSeconds: seconds, stream, topic } = this.#settings;
    const isStale = this.#steadyMs() - this.#heardAtMs >= 1000 * seconds;
    return { isStale, name: (stream ?? topic)!, seconds };
  }
}

/** Hear the temperature on its own topic, where it has one. What the broker kept may be of any age and is left out. */
export const hearTemperature = (
  connection: Pick<Connection, "listen">,
  feed: TemperatureFeed,
  { temperature }: Config["chip"],
): void => {
  const { topic, codec: name, channel } = temperature ?? {};
  if (topic === undefined || name === undefined || channel === undefined) return;
  const codec = codecByName(name);
  // A reading a message has neither rate nor names of its own.
  const settings = { rateHz: 1, channels: [channel] };
  connection.listen({
    filters: [topic],
    onMessage: ({ payload, receivedAtNs, isRetained }) => {
      if (isRetained !== true)
        feed.decoded(topic, codec.decode(payload, { stream: topic, receivedAtNs, topic, settings }));
    },
  });
};
