import type { AnswerNoise } from "../../models/model.ts";
import type { NetworkImage } from "../../models/network/analog.ts";
import type { Config } from "../config/schema.ts";
import type { Feedback } from "../store/alarm-desk.ts";
import type { UpkeepStep } from "../store/chip-record.ts";
import type { ChipHealth } from "./health.ts";
import type { Lesson } from "./learned.ts";

/** What the thread of upkeep starts with. */
export interface UpkeepStart {
  /** Memory of the chips. */
  readonly file: string;
}

/** Look after a chip that is stored. */
export interface Adopt {
  readonly kind: "adopt";
  readonly key: string;
  /** File of its model. */
  readonly bytes: Uint8Array;
  readonly chip: Config["chip"];
}

/** What came by since the last tick, of one chip. */
export interface Fed {
  readonly key: string;
  readonly inputs: readonly Float32Array[];
  readonly margins: readonly number[];
  /** Anomalies that people labelled since. */
  readonly lessons: readonly Lesson[];
  /** Number of the next inference. */
  readonly inference: number;
}

/** Time has passed. */
export interface Tick {
  readonly kind: "tick";
  readonly clockSeconds: number;
  readonly wallMs: number;
  /** undefined: as it was. */
  readonly celsius: number | undefined;
  /** Where that comes from. */
  readonly celsiusFrom: string;
  /** Whether the streams leave room for more than letting devices age. */
  readonly hasRoom: boolean;
  readonly fed: readonly Fed[];
}

/** What came by of one chip, as the main thread has it: windows of labelled anomalies are made beside the inferences. */
export interface Came extends Omit<Fed, "lessons"> {
  readonly labelled: readonly Feedback[];
}

/** Time has passed, as the main thread tells it. */
export interface TickMessage extends Omit<Tick, "fed"> {
  readonly fed: readonly Came[];
}

export type ToUpkeep = Adopt | TickMessage;

/** What a chip shows from now on. */
export interface Shown {
  readonly kind: "shown";
  readonly key: string;
  readonly image: NetworkImage;
  readonly noise: AnswerNoise | undefined;
  readonly mayAnswer: boolean;
  /** Weights of the last layer, where it learned or forgot: for the digital twin. */
  readonly lastLayer?: Float32Array;
  readonly health: ChipHealth;
}

/** A step was taken, and stored. */
export interface Stepped {
  readonly kind: "stepped";
  readonly key: string;
  readonly step: UpkeepStep;
}

/** A label that nothing can be learned from, and why. */
export interface LeftOut {
  readonly kind: "left-out";
  readonly stream: string;
  readonly detail: string;
}

/** A tick is worked off. */
export interface Done {
  readonly kind: "done";
}

export type FromUpkeep = Shown | Stepped | LeftOut | Done;
