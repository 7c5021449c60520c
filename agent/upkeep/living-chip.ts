import type { CalibrationMode } from "../../models/crossbar/calibration.ts";
import type { DeviceModel } from "../../models/crossbar/devices/device.ts";
import type { FaultRates } from "../../models/crossbar/faults.ts";
import { referenceCelsius, secondsAtReference } from "../../models/crossbar/temperature.ts";
import type { Tile } from "../../models/crossbar/tile.ts";
import type { Manifest } from "../../models/manifest.ts";
import type { AnswerNoise } from "../../models/model.ts";
import { AnalogNetwork } from "../../models/network/analog.ts";
import type { DigitalNetwork } from "../../models/network/digital.ts";
import type { Graph } from "../../models/network/graph.ts";
import { chooseRanges, type Rescaling, rescale } from "../../models/network/rescale.ts";
import type { StoredChip, TileName } from "../store/chip-record.ts";
import { type Answers, compareAnswers, riskIn } from "./answer-noise.ts";
import { addCosts, type ChipCosts, type Cost, chipCosts, noCost, times } from "./costs.ts";
import { twinOf } from "./last-layer.ts";
import type { Learned } from "./learned.ts";
import { type Remembered, rememberedWith } from "./remembered.ts";
import { fewInputs, inputsKeptOf, readsOfInput, scoringOf, someOf, testInputs } from "./trial-inputs.ts";
import { type Wear, wearOf } from "./wear.ts";

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
export interface Knowledge extends Remembered {
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
  /** Chip time before which a step is not tried again, because it did not help. */
  readonly againAtSeconds: Readonly<Record<string, number>>;
  /** Whether all devices were written with verification. */
  readonly isTrimmed: boolean;
  /** What calibrations set beside the drift compensation: what was found to be better stays. */
  readonly compensation: CalibrationMode;
  readonly rescaling: Rescaling | "none";
  readonly followsRanges: boolean;
  /** Noise of the answers when last looked at. */
  readonly noise: AnswerNoise | undefined;
  readonly risk: number | undefined;
  readonly riskError: number | undefined;
  /** The last look: chip time, and up to which inference of the streams looks are paid for. */
  readonly looks: { readonly atSeconds: number; readonly paidTo: number };
  /** Devices that self-test found not to follow their writes. */
  readonly stuckDevices: number;
  /** Spare tiles that the chip has, and the numbers of those that were tried and are not better than what they would replace. */
  readonly spareTiles: number;
  readonly spentSpares: readonly number[];
  readonly mayAnswer: boolean;
  /** What it learned in place; undefined: it was never asked to. */
  readonly learned?: Learned;
  /** Inputs that came last, to try the chip with, and the margins of the last answers, |ln| of the ratio that decides. */
  readonly inputs: readonly Float32Array[];
  readonly margins: readonly number[];
}

/** How a chip is calibrated. */
export type Tuning = Pick<Knowledge, "compensation" | "rescaling" | "followsRanges">;

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
  /** Inferences that the streams had of it, as last told. */
  inferences: number;
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
    this.twin = twinOf(graph, manifest, stored?.knowledge.learned?.weights);
    this.costs = chipCosts(graph, manifest.mapping, this.network);
    this.inferences = stored?.state.inference ?? 0;
    const fresh: Knowledge = {
      ...{ device: device.name, seed },
      time: { clockSeconds, chipSeconds: ageSeconds, celsius: referenceCelsius },
      calibratedAtSeconds: undefined,
      ...{ writtenAtSeconds: 0, rewrittenAtSeconds: 0, againAtSeconds: {}, isTrimmed: false },
      ...{ compensation: "none", rescaling: "none", followsRanges: false },
      ...{ noise: undefined, first: undefined, settled: undefined, risk: undefined, riskError: undefined },
      looks: { atSeconds: 0, paidTo: 0 },
      ...{ stuckDevices: 0, spareTiles: manifest.mapping.hardware?.spareTiles ?? 0, spentSpares: [] },
      mayAnswer: true,
      ...{ inputs: [], margins: [] },
    };
    // What older versions did not know is as with a new chip, but for the noise when new, which had another name.
    const { firstNoise } = (stored?.knowledge ?? {}) as { readonly firstNoise?: AnswerNoise };
    const first = firstNoise && { noise: firstNoise, inputs: fewInputs };
    this.knowledge = { ...fresh, ...(first && { first }), ...stored?.knowledge };
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

  /**
   * Set the drift compensation of every tile, the ranges of its ADC and what rescales its outputs, from inputs of the stream:
   * by default those that are kept. @returns what it took
   */
  calibrate(
    { compensation, rescaling, followsRanges }: Tuning = this.knowledge,
    inputs: readonly Float32Array[] = this.knowledge.inputs,
  ): Cost {
    this.network.calibrate(compensation);
    for (const { is } of this.tiles) is.setRange("programmed");
    let inferences = 0;
    this.#apart(() => {
      if (followsRanges) chooseRanges(this.network, inputs);
      if (rescaling !== "none") rescale(this.network, inputs, rescaling);
      inferences = ((followsRanges ? 1 : 0) + (rescaling === "none" ? 0 : 1)) * inputs.length;
    });
    const { celsius } = this.knowledge.time;
    this.#know({ calibratedAtSeconds: this.network.atSeconds, calibratedCelsius: celsius });
    this.#know({ compensation, rescaling, followsRanges });
    return addCosts(compensation === "none" ? noCost : this.costs.oneHot, times(inferences, this.costs.inference));
  }

  /** Do inferences with numbers of their own, told apart by the time, so that the noise of the stream's stays what it was. */
  #apart(run: () => void): void {
    const { inference } = this.network;
    const states = (this.network.states ?? []).map((state) => state.slice());
    this.network.restartNoise(2 ** 40 + 4096 * Math.round(1000 * this.network.atSeconds));
    run();
    this.network.restartNoise(inference);
    for (const [i, state] of states.entries()) this.network.states[i]!.set(state);
  }

  /** What it is tried with: inputs that came last, or the test vectors of the model. */
  get trialInputs(): readonly Float32Array[] {
    return this.knowledge.inputs.length >= 4 ? this.knowledge.inputs : testInputs(this.manifest);
  }

  /** Compare the chip with its twin on so many of its inputs, and keep what is seen. undefined: there are too few. */
  look(count = Number.POSITIVE_INFINITY): Answers | undefined {
    const answers = this.tryWith(someOf(this.trialInputs, count, this.network));
    if (answers === undefined) return undefined;
    const { noise, direct, inputs, margins } = answers;
    const { risk, riskError } = margins.length > 0 ? answers : { risk: undefined, riskError: undefined };
    const looks = { atSeconds: this.network.atSeconds, paidTo: Math.max(this.inferences, this.knowledge.looks.paidTo) };
    const remembered = rememberedWith({ noise, ...(direct && { direct }), inputs }, this.knowledge, this.ageSeconds);
    this.#know({ noise, risk, riskError, looks, ...remembered });
    return answers;
  }

  /** Compare the chip with its twin on these inputs, two at least, and keep nothing. */
  tryWith(inputs: readonly Float32Array[]): Answers | undefined {
    if (inputs.length < 2) return undefined;
    const { manifest, twin, network, knowledge } = this;
    let seen: Answers | undefined;
    this.#apart(() => {
      seen = compareAnswers(network, twin, manifest.task, inputs, readsOfInput, scoringOf(manifest));
    });
    if (seen === undefined) return undefined;
    const margins = knowledge.margins.length >= fewMargins ? knowledge.margins : seen.margins;
    return { ...seen, margins, ...riskIn({ ...seen, margins }) };
  }

  /** Keep inputs that came and margins of answers, the last ones, and how many inferences there were. */
  remember(inputs: readonly Float32Array[], margins: readonly number[], inferences = this.inferences): void {
    const { knowledge } = this;
    this.inferences = inferences;
    this.#know({
      inputs: [...knowledge.inputs, ...inputs].slice(-inputsKeptOf(this.network)),
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
  learn(
    found: Partial<
      Pick<
        Knowledge,
        | ("mayAnswer" | "looks" | "stuckDevices" | "spentSpares" | "againAtSeconds" | "isTrimmed" | "celsiusFrom")
        | ("learned" | "first")
      >
    >,
  ): void {
    this.#know(found);
  }

  /** Pulses that the devices have had. Devices that were never formed have had none and do not count. */
  wear(): Wear {
    this.#wear ??= wearOf(this.tiles.map(({ is }) => is.state("view").cells.writes));
    return this.#wear;
  }

  /** What to store, as a view that holds until the chip changes, and which tiles' devices were written since the last time. */
  store(): { readonly chip: StoredChip<Knowledge>; readonly written: readonly TileName[] } {
    const written = [...this.#written.values()];
    this.#written.clear();
    return { chip: { state: this.network.state("view"), knowledge: this.knowledge }, written };
  }

  #know(more: Partial<Knowledge>): void {
    this.knowledge = { ...this.knowledge, ...more };
  }
}
