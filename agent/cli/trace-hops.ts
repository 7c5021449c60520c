import { from } from "rxjs";
import type { Model } from "../../models/model.ts";
import { pipelineFor } from "../../pipelines/pipeline.ts";
import type { AnomalyChange, SampleBlock } from "../../pipelines/signal.ts";
import type { StageName, StageOutputs } from "../../pipelines/stages.ts";
import type { PayloadCodec } from "../codecs/codec.ts";
import { usingModel } from "../models.ts";
import type { Recording } from "../recordings/recording.ts";
import { AnomalyStore } from "../store/anomaly-store.ts";
import { closeDatabase, openDatabase } from "../store/database.ts";

/** One hop of the life of a sample. */
export interface Hop {
  readonly hop: number;
  /** The stages in it, e.g. `reorder sanitise resample frame`. */
  readonly stage: string;
  /** Type of what it gives. */
  readonly gives: string;
  /** Undefined where nothing came out. */
  readonly shape: readonly number[] | undefined;
  readonly unit: string;
  readonly min: number | undefined;
  readonly max: number | undefined;
  /** Mean time for one of its outputs. */
  readonly microseconds: number | undefined;
  /** How many came out. */
  readonly outputs: number;
  /** What it says, in words: a label, an anomaly. */
  readonly note: string;
}

interface Seen {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
  readonly note?: string;
}

/** A hop while it is being measured. */
interface Measured {
  readonly stage: string;
  readonly gives: string;
  readonly unit: string;
  seen: Seen | undefined;
  outputs: number;
  milliseconds: number;
}

/**
 * Take a recording through all eight hops and note what each gives: as a message would come from MQTT, decoded, through
 * the pipeline, into a database in memory. The values are those of the frame that raised the first anomaly, or of
 * the last frame; the times are means over the recording.
 */
export const traceHops = (recording: Recording, model: Model, codec: PayloadCodec): readonly Hop[] => {
  const { modality, name } = model.manifest;
  const pipeline = usingModel(name, () => pipelineFor(modality)(model, {}));
  const unit = [...new Set(recording.units.filter((name) => name !== ""))].join(", ") || "as recorded";
  const groups = groupsOf(pipeline.stageNames);
  const hops: Measured[] = [
    hop("subscribe", "MqttMessage", "byte"),
    hop("decode", "SampleBlock", unit),
    ...groups.map(({ stages, gives, unit: own }) => hop(stages.join(" "), gives, own ?? unit)),
    hop("record", "rows", "sample"),
  ];
  const hopOf = (stage: StageName): number => 2 + groups.findIndex(({ stages }) => stages.includes(stage));
  const database = openDatabase(":memory:");
  const store = new AnomalyStore(database);
  let at = performance.now();
  let current = 0;
  let isHeld = false; // once an anomaly was raised, what is shown stays
  const spend = (index: number): void => {
    const now = performance.now();
    hops[index]!.milliseconds += now - at;
    at = now;
    current = index;
  };
  const note = (index: number, seen: Seen): void => {
    spend(index);
    hops[index]!.outputs++;
    if (!isHeld) hops[index]!.seen = seen;
  };
  function* messages(): Generator<SampleBlock> {
    for (const block of recording.blocks(blockSeconds(recording))) {
      const payload = codec.encode!(block);
      at = performance.now();
      note(0, { shape: [payload.length], values: payload });
      const result = codec.decode(payload, {
        stream: recording.stream,
        receivedAtNs: 0n,
        topic: "trace",
        settings: {},
      });
      if (!result.ok) throw new RangeError(`decode: expected a good payload, got ${result.error.detail}`);
      for (const decoded of result.blocks) {
        note(1, seenOfBlock(decoded));
        yield decoded;
      }
      // What was spent without an output is the work of the hop after the last that gave one.
      spend(Math.min(current + 1, hops.length - 2));
    }
  }
  let failure: unknown;
  pipeline
    .watched((stage, value) => {
      const index = hopOf(stage);
      const isLast = groups[index - 2]!.stages.at(-1) === stage;
      if (isLast) note(index, seenOf(stage, value));
      else spend(index);
    })
    .run(from(messages()))
    .subscribe({
      next: (change) => {
        store.record(change);
        note(hops.length - 1, seenOfChange(change));
        isHeld = true;
      },
      error: (error: unknown) => {
        failure = error;
      },
    });
  closeDatabase(database);
  if (failure !== undefined) throw failure;
  return hops.map((measured, i) => finished(measured, i + 1));
};

/** Four rows a message at least, a quarter of a second at most. */
const blockSeconds = ({ sampleRateHz }: Recording): number => Math.max(0.25, 4 / sampleRateHz);

const hop = (stage: string, gives: string, unit: string): Measured => ({
  stage,
  gives,
  unit,
  seen: undefined,
  outputs: 0,
  milliseconds: 0,
});

interface Group {
  readonly stages: readonly StageName[];
  readonly gives: string;
  /** Undefined: that of the signal. */
  readonly unit: string | undefined;
}

/** Stages as hops 3 … 7: the signal up to its frames, features, codes, classification, decision. */
const groupsOf = (stages: readonly StageName[]): readonly Group[] => {
  const cut = stages.includes("mfcc") ? stages.indexOf("mfcc") : stages.indexOf("frame") + 1;
  const quantise = stages.indexOf("quantise");
  const isStandardised = stages.slice(0, cut).includes("standardise");
  return [
    {
      stages: stages.slice(0, cut),
      gives: stages[cut - 1] === "frame" ? "Frame" : "SampleBlock",
      unit: isStandardised ? "σ" : undefined,
    },
    { stages: stages.slice(cut, quantise), gives: "Features", unit: "normalised" },
    { stages: ["quantise"], gives: "QuantisedTensor", unit: "int8 code" },
    { stages: ["classify"], gives: "Classification", unit: "score" },
    { stages: ["decide"], gives: "Anomaly", unit: "score" },
  ];
};

const seenOfBlock = ({ samples, channels }: Pick<SampleBlock, "samples" | "channels">): Seen => ({
  shape: [samples.length / Math.max(1, channels.length), channels.length],
  values: samples,
});

const seenOf = <Name extends StageName>(stage: Name, value: StageOutputs[Name]): Seen => {
  const any = value as Partial<StageOutputs["frame"] & StageOutputs["normalise"]> &
    Partial<StageOutputs["quantise"] & StageOutputs["classify"] & AnomalyChange>;
  if (stage === "decide")
    return { ...seenOfChange(value as AnomalyChange), shape: [1], values: [any.anomaly!.peakScore] };
  if (any.tensor !== undefined) return { shape: any.tensor.shape, values: any.tensor.data };
  if (any.scores !== undefined) {
    const note = `${any.label}, probability ${any.probability!.toFixed(3)}, margin ${any.margin!.toFixed(3)}`;
    return { shape: [any.scores.length], values: any.scores, note };
  }
  if (any.data !== undefined) return { shape: any.shape!, values: any.data };
  return seenOfBlock(value as SampleBlock);
};

const seenOfChange = ({ type, anomaly }: AnomalyChange): Seen => ({
  ...seenOfBlock(anomaly.evidence),
  note: `${type} ${anomaly.kind}, ${anomaly.severity}, ${anomaly.id}`,
});

const finished = ({ stage, gives, unit, seen, outputs, milliseconds }: Measured, number: number): Hop => {
  let [min, max]: (number | undefined)[] = [undefined, undefined];
  for (const value of Array.from(seen?.values ?? [])) {
    if (!Number.isFinite(value)) continue;
    min = Math.min(min ?? value, value);
    max = Math.max(max ?? value, value);
  }
  return {
    hop: number,
    stage,
    gives,
    shape: seen?.shape,
    unit,
    min,
    max,
    microseconds: outputs > 0 ? Math.round((milliseconds * 1e4) / outputs) / 10 : undefined,
    outputs,
    note: seen?.note ?? "",
  };
};
