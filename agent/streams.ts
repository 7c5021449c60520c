import type { Model } from "../models/model.ts";
import { type PipelineContext, pipelineFor } from "../pipelines/pipeline.ts";
import type { AnomalyChange, Classification } from "../pipelines/signal.ts";
import { codecByName, type DecodeResult, type SourceNews } from "./codecs/codec.ts";
import type { Config, StreamConfig } from "./config/schema.ts";
import { decisionRules, levelRules } from "./decision-rules.ts";
import type { MqttMessage } from "./mqtt/message.ts";
import { type Role, type StreamParts, StreamRunner } from "./stream-runner.ts";
import type { StreamStatistics } from "./stream-statistics.ts";
import type { Emit } from "./telemetry/events.ts";

/** Gives a stream its model. */
export type OpenModel = (name: string, chip: Config["chip"]) => Model;

/** What a stream tells. */
export interface StreamListeners {
  readonly emit: Emit;
  /** Takes each change of an anomaly; may throw when it cannot be written. */
  readonly onChange: (change: AnomalyChange) => void;
  readonly onClassification: (classification: Classification) => void;
  /** A stream begins; its decisions look back so many frames. */
  readonly onOpen?: (stream: string, frames: number) => void;
  /** A payload was read, or could not be. */
  readonly onDecoded?: (stream: string, result: DecodeResult) => void;
  /** A message was worked off: the end of its samples, ns since 1970, and which inference was next before it. */
  readonly onTaken?: (stream: string, message: MqttMessage, toNs: bigint, inference?: number) => void;
  /** Publishes what a codec asks of its sender. */
  readonly onAsk?: (ask: NonNullable<SourceNews["ask"]>) => void;
  /** The pipeline failed: what it had raised will get no end from it. */
  readonly onFailure: (stream: string) => void;
}

/**
 * Build a stream from its configuration: codec → pipeline with its model.
 * @throws when the model cannot be read, is of another modality, or its shape does not fit
 */
export const openStream = (
  stream: StreamConfig,
  chip: Config["chip"],
  openModel: OpenModel,
  statistics: StreamStatistics,
  { emit, onChange, onClassification, onFailure, onOpen, onDecoded, onTaken, onAsk }: StreamListeners,
): StreamRunner => {
  const model = openModel(stream.model, chip);
  requireModality(model, stream);
  const codec = codecByName(stream.codec);
  if (codec === undefined) throw new RangeError(`codec: expected a known one, got ${stream.codec}`);
  const refused = codec.refuseTopic?.(stream.topic ?? "{base}/in/{name}");
  if (refused !== undefined) throw new RangeError(refused);
  const rules = decisionRules(model.manifest, stream.decisions);
  const levels = levelRules(model.manifest, stream.levels);
  statistics.alarms = [...rules, ...levels].map(({ label, severity, enter }) => ({ kind: label, severity, enter }));
  const pipelineOf = (wanted: Model, role: Role): ReturnType<StreamParts["pipelineOf"]> => {
    requireModality(wanted, stream);
    const timedModel = timed(wanted, statistics, role);
    const context: PipelineContext = {
      rules: decisionRules(wanted.manifest, stream.decisions),
      levels: levelRules(wanted.manifest, stream.levels),
      time: stream.time,
      onClassification: (classification) => {
        role.look?.(classification);
        if (!role.isLive) return;
        statistics.classification(classification, Date.now() / 1000);
        onClassification(classification);
      },
      onDrop: (reason, count) => {
        if (!role.isLive) return;
        if (reason === "late") statistics.lateBlocks++;
        emit({ name: "SamplesDropped", stream: stream.name, reason, count });
      },
      onRepair: (reason, count) => {
        if (!role.isLive) return;
        if (reason === "gap") statistics.interpolatedSamples += count;
        emit({ name: "SamplesRepaired", stream: stream.name, reason, count });
      },
    };
    // Built once before it runs, so that a model that does not fit is refused at the start.
    pipelineFor(stream.pipeline)(timedModel, context);
    return (blocks) => pipelineFor(stream.pipeline)(timedModel, context).run(blocks);
  };
  onOpen?.(stream.name, Math.max(1, ...rules.map((rule) => rule.window)));
  return new StreamRunner({
    decode: ({ payload, receivedAtNs, topic }) => {
      const result = codec.decode(payload, { stream: stream.name, receivedAtNs, topic, settings: stream.settings });
      onDecoded?.(stream.name, result);
      return result;
    },
    model,
    pipelineOf,
    onChange,
    onTaken: (message, toNs, inference) => onTaken?.(stream.name, message, toNs, inference),
    onAsk: (ask) => onAsk?.(ask),
    onFailure: () => onFailure(stream.name),
    statistics,
    emit,
    nowSeconds: () => performance.now() / 1000,
  });
};

const requireModality = ({ manifest: { modality, name } }: Model, { pipeline }: StreamConfig): void => {
  if (modality === pipeline) return;
  throw new RangeError(`model: expected one for the pipeline ${pipeline}, got ${name}, which is for ${modality}`);
};

/** The same model, with the time of each inference told. */
const timed = ({ network, ...model }: Model, statistics: StreamStatistics, role: Role): Model => ({
  ...model,
  network: {
    inputShape: network.inputShape,
    outputShape: network.outputShape,
    infer: (input, output) => {
      const startedAtMs = performance.now();
      network.infer(input, output);
      if (role.isLive) statistics.onInferred?.((performance.now() - startedAtMs) / 1000);
    },
  },
});
