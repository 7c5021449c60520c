import type { CalibrationMode } from "../../models/crossbar/calibration.ts";
import type { DeviceModel } from "../../models/crossbar/devices/device.ts";
import type { FaultRates } from "../../models/crossbar/faults.ts";
import { referenceCelsius, secondsAtReference } from "../../models/crossbar/temperature.ts";
import type { Tile } from "../../models/crossbar/tile.ts";
import type { Manifest } from "../../models/manifest.ts";
import type { AnswerNoise } from "../../models/model.ts";
import { AnalogNetwork } from "../../models/network/analog.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import type { Graph } from "../../models/network/graph.ts";
import { dequantiseInto } from "../../models/quantisation.ts";
import { sizeOf } from "../../models/tensor.ts";
import type { StoredChip, TileName } from "../store/chip-record.ts";
import { type Answers, compareAnswers, riskOf } from "./answer-noise.ts";
import { type ChipCosts, chipCosts } from "./costs.ts";

/** What a chip is made of. */
export interface ChipPlan {
  readonly graph: Graph;
  readonly manifest: Manifest;
  readonly device: DeviceModel;
  readonly seed: number;
  readonly kernel: "reference" | "simd";
  readonly faults?: FaultRates;
}

/** What is known of a chip beside its devices; stored with it. */
export interface Knowledge {
  readonly device: string;
  readonly seed: number;
  /** A moment of the agent's clock, which chip time that was, and the temperature since. */
  readonly time: { readonly clockSeconds: number; readonly chipSeconds: number; readonly celsius: number };
  /** Where the temperature comes from: `constant`, or a stream or topic; undefined: it was not told yet. */
  readonly celsiusFrom?: string;
  /** Chip time of the last calibration; undefined: never. */
  readonly calibratedAtSeconds: number | undefined;
  /** How warm it was then, °C. */
  readonly calibratedCelsius?: number;
  /** Chip time of the last write of any device, and of the last write of whole tiles. */
  readonly writtenAtSeconds: number;
  readonly rewrittenAtSeconds: number;
  /** Chip time before which single devices are not written again, because it did not help. */
  readonly devicesAgainAtSeconds: number;
  readonly compensation: CalibrationMode;
  /** Noise of the answers when last looked at, and when the chip was new. */
  readonly noise: AnswerNoise | undefined;
  readonly firstNoise: AnswerNoise | undefined;
  readonly risk: number | undefined;
  readonly riskError: number | undefined;
  /** Devices that self-test found not to follow their writes. */
  readonly stuckDevices: number;
  readonly mayAnswer: boolean;
  /** Inputs that came last, to try the chip with, and the margins of the last answers, |ln| of the ratio that decides. */
  readonly inputs: readonly Float32Array[];
  readonly margins: readonly number[];
}

/** How many devices there are, and the pulses that they have had: mean, and the one with most. */
export interface Wear {
  readonly devices: number;
  readonly pulses: { readonly mean: number; readonly most: number };
}

/** Inputs kept to try a chip with, and how often each is read. */
const mostInputs = 32;
const readsOfInput = 2;
/** Margins kept: with 512 a risk of 0.5 % is known to 0.3 %. */
const mostMargins = 512;
/** Below so many margins those of the inputs are taken. */
const fewMargins = 64;

/** Age steps that a chip is shown in, as a part of the age; about a thousandth of a drifting conductance. */
const ageStep = 0.02;
/** Below so many seconds age steps grow no finer. */
const youngSeconds = 20;

/**
 * The chip time that a chip is shown at: the last of a series of moments that grow apart with the time since its last
 * write, so that a restart at the same time shows the same moment. Never later than `chipSeconds`.
 */
export const shownAt = (chipSeconds: number, writtenAtSeconds: number): number => {
  const age = Math.max(0, chipSeconds - writtenAtSeconds);
  const moment = (step: number) => writtenAtSeconds + youngSeconds * ((1 + ageStep) ** step - 1);
  let step = Math.floor(Math.log1p(age / youngSeconds) / Math.log1p(ageStep) + 1e-9);
  while (step > 0 && moment(step) > chipSeconds) step--;
  return moment(step);
};

/**
 * A chip that lives: a network on devices that age by a clock, its digital twin, and what is known of both. It does only
 * what it is told to; `care.ts` decides.
 */
export class LivingChip {
  readonly network: AnalogNetwork;
  readonly twin: DigitalNetwork;
  readonly manifest: Manifest;
  readonly plan: ChipPlan;
  readonly costs: ChipCosts;
  knowledge: Knowledge;
  readonly #written = new Map<string, TileName>();
  #wear: Wear | undefined;

  /**
   * Go on from what was stored; without it, program a chip that has `ageSeconds` of chip time behind it.
   * @param clockSeconds the agent's clock
   */
  constructor(plan: ChipPlan, clockSeconds: number, stored?: StoredChip<Knowledge>, ageSeconds = 0) {
    const { graph, manifest, device, seed, kernel, faults } = plan;
    this.plan = plan;
    this.manifest = manifest;
    this.network = new AnalogNetwork(graph, {
      ...{ device, seed, kernel, mapping: manifest.mapping },
      ...(faults && { faults }),
      ...(stored && { state: stored.state }),
    });
    this.twin = new DigitalNetwork(graph, { kernel: "simd" });
    this.costs = chipCosts(graph, manifest.mapping, this.network);
    this.knowledge = stored?.knowledge ?? {
      ...{ device: device.name, seed },
      time: { clockSeconds, chipSeconds: ageSeconds, celsius: referenceCelsius },
      calibratedAtSeconds: undefined,
      ...{ writtenAtSeconds: 0, rewrittenAtSeconds: 0, devicesAgainAtSeconds: 0 },
      compensation: "none",
      ...{ noise: undefined, firstNoise: undefined, risk: undefined, riskError: undefined },
      stuckDevices: 0,
      mayAnswer: true,
      ...{ inputs: [], margins: [] },
    };
  }

  /** All tiles, with their names. */
  get tiles(): readonly (TileName & { readonly is: Tile })[] {
    return [...this.network.arrays].flatMap(([array, { tiles }]) => tiles.map((is, tile) => ({ array, tile, is })));
  }

  /** Chip time at a moment of the agent's clock, at the temperature known: seconds at the reference temperature. */
  chipSecondsAt(clockSeconds: number): number {
    const { time } = this.knowledge;
    const passed = Math.max(0, clockSeconds - time.clockSeconds);
    return time.chipSeconds + secondsAtReference(this.plan.device, passed, time.celsius);
  }

  /** Live up to a moment of the agent's clock, at a temperature. @returns whether the chip shows another moment now */
  liveTo(clockSeconds: number, celsius = this.knowledge.time.celsius): boolean {
    const { time, writtenAtSeconds } = this.knowledge;
    const chipSeconds = this.chipSecondsAt(clockSeconds);
    const isOther = celsius !== time.celsius;
    if (isOther) this.#know({ time: { clockSeconds, chipSeconds, celsius } });
    const shown = shownAt(chipSeconds, writtenAtSeconds);
    const before = this.network.atSeconds;
    this.network.ageTo(shown, celsius);
    return isOther || shown !== before;
  }

  /** The age since whole tiles were last written, s of chip time, as shown. */
  get ageSeconds(): number {
    return this.network.atSeconds - this.knowledge.rewrittenAtSeconds;
  }

  /** Set the drift compensation of every tile. */
  calibrate(compensation: CalibrationMode): void {
    this.network.calibrate(compensation);
    const { celsius } = this.knowledge.time;
    this.#know({ compensation, calibratedAtSeconds: this.network.atSeconds, calibratedCelsius: celsius });
  }

  /** Compare the chip with its twin on the inputs that came last, or on the test vectors of the model; undefined: none. */
  look(reads = readsOfInput): Answers | undefined {
    const inputs = this.knowledge.inputs.length >= 4 ? this.knowledge.inputs : testInputs(this.manifest);
    if (inputs.length === 0) return undefined;
    // Numbers of their own, told apart by the time, so that the noise of the stream's inferences stays what it was.
    const { inference } = this.network;
    this.network.restartNoise(2 ** 40 + 1024 * Math.round(1000 * this.network.atSeconds));
    const seen = compareAnswers(this.network, this.twin, this.manifest.task, inputs, reads);
    this.network.restartNoise(inference);
    const margins = this.knowledge.margins.length >= fewMargins ? this.knowledge.margins : seen.margins;
    const answers = { ...seen, margins, ...riskOf(margins, seen.noise) };
    const { noise, risk, riskError } = answers;
    this.#know({ noise, risk, riskError, firstNoise: this.knowledge.firstNoise ?? noise });
    return answers;
  }

  /** Keep inputs that came and margins of answers, the last ones. */
  remember(inputs: readonly Float32Array[], margins: readonly number[]): void {
    const { knowledge } = this;
    this.#know({
      inputs: [...knowledge.inputs, ...inputs].slice(-mostInputs),
      margins: [...knowledge.margins, ...margins].slice(-mostMargins),
    });
  }

  /** Note that devices of some tiles, or the whole tiles, were written at the moment shown. */
  wrote(tiles: readonly TileName[], what: "devices" | "tiles"): void {
    for (const { array, tile } of tiles) this.#written.set(`${array}\n${tile}`, { array, tile });
    const now = this.network.atSeconds;
    this.#know({ writtenAtSeconds: now, ...(what === "tiles" && { rewrittenAtSeconds: now }) });
    this.#wear = undefined;
  }

  /** Note what was found out. */
  learn(found: Partial<Pick<Knowledge, "mayAnswer" | "stuckDevices" | "devicesAgainAtSeconds" | "celsiusFrom">>): void {
    this.#know(found);
  }

  /** Pulses that the devices have had. Devices that were never formed have had none and do not count. */
  wear(): Wear {
    this.#wear ??= wearOf(this.tiles.map(({ is }) => is.state().cells.writes));
    return this.#wear;
  }

  /** What to store, and which tiles' devices were written since the last time. */
  store(): { readonly chip: StoredChip<Knowledge>; readonly written: readonly TileName[] } {
    const written = [...this.#written.values()];
    this.#written.clear();
    return { chip: { state: this.network.state(), knowledge: this.knowledge }, written };
  }

  #know(more: Partial<Knowledge>): void {
    this.knowledge = { ...this.knowledge, ...more };
  }
}

/** The wear of the devices of some tiles, from the pulses that each device has had. */
export const wearOf = (tiles: readonly Uint32Array[]): Wear => {
  let [devices, pulses, most] = [0, 0, 0];
  for (const writes of tiles) {
    for (const count of writes) {
      if (count > 0) devices++;
      pulses += count;
      most = Math.max(most, count);
    }
  }
  return { devices, pulses: { mean: pulses / Math.max(1, devices), most } };
};

/** The inputs of the test vectors; of a forecaster, which takes a row an inference, each of their rows. */
const testInputs = ({ testVectors, task, input: { scale, shape, channels } }: Manifest): readonly Float32Array[] => {
  const rowSize = task === "forecaster" ? channels.length : sizeOf(shape);
  return testVectors.flatMap(({ input }) => {
    const real = new Float32Array(sizeOf(shape));
    dequantiseInto({ data: Int8Array.from(input), shape, scale, zeroPoint: 0 }, real);
    return Array.from({ length: real.length / rowSize }, (_, i) => real.slice(i * rowSize, (i + 1) * rowSize));
  });
};
