import type { Metric, SparkplugPayload } from "./payload.ts";
import type { SparkplugTopic } from "./topic.ts";

/** A metric with its name and datatype, as its birth told them. */
export interface KnownMetric extends Metric {
  readonly name: string;
  readonly device: string | undefined;
}

/** What a message told of an edge node. */
export interface Told {
  readonly metrics: readonly KnownMetric[];
  /** Something was missed or is not known: the node must be born again. */
  readonly needsRebirth: boolean;
  /** Whether metrics were told by a birth: what is, not what changed. */
  readonly isBirth: boolean;
  /** What died: everything of the node, or one device. */
  readonly died?: "node" | { readonly device: string };
}

type Definition = Pick<Metric, "datatype"> & { readonly name: string; readonly device: string | undefined };

/** Metrics of one edge node, at most; their names come from outside. */
const maxMetrics = 65_536;

/** One edge node as a host application sees it: births, aliases, sequence, death. */
export class EdgeNodeSession {
  #seq: number | undefined;
  #bdSeq: bigint | undefined;
  readonly #byAlias = new Map<number, Definition>();
  readonly #byName = new Map<string, Definition>();

  /** Take a message of this node. */
  take({ kind, device }: SparkplugTopic, payload: SparkplugPayload): Told {
    if (kind === "NDEATH") return this.#die(payload);
    const isMissed = this.#isMissed(kind === "NBIRTH", payload.seq);
    if (kind === "NBIRTH") {
      // tck-id-payloads-alias-birth-requirement: a birth replaces all that was known.
      this.#byAlias.clear();
      this.#byName.clear();
      this.#bdSeq = bdSeqOf(payload);
    }
    if (kind === "NBIRTH" || kind === "DBIRTH") {
      return { metrics: this.#define(device, payload.metrics), needsRebirth: isMissed, isBirth: true };
    }
    if (kind === "DDEATH") return { metrics: [], needsRebirth: isMissed, isBirth: false, died: { device: device! } };
    const metrics = payload.metrics.flatMap((metric) => {
      const known = this.#known(device, metric);
      return known === undefined ? [] : [known];
    });
    const needsRebirth = isMissed || metrics.length < payload.metrics.length;
    return { metrics, needsRebirth, isBirth: false };
  }

  #die(payload: SparkplugPayload): Told {
    // tck-id-payloads-ndeath-bdseq: a will of an earlier connection tells nothing of this one.
    const isOld = this.#bdSeq !== undefined && bdSeqOf(payload) !== this.#bdSeq;
    if (isOld) return { metrics: [], needsRebirth: false, isBirth: false };
    this.#seq = undefined;
    return { metrics: [], needsRebirth: false, isBirth: false, died: "node" };
  }

  /** tck-id-payloads-sequence-num-incrementing: one more than the last, after 255 comes 0; NBIRTH begins anew. */
  #isMissed(isNodeBirth: boolean, seq: number | undefined): boolean {
    const expected = this.#seq === undefined ? undefined : (this.#seq + 1) % 256;
    this.#seq = seq ?? expected;
    return !isNodeBirth && seq !== expected;
  }

  #define(device: string | undefined, metrics: readonly Metric[]): readonly KnownMetric[] {
    return metrics.flatMap((metric) => {
      if (metric.name === undefined || this.#byName.size >= maxMetrics) return [];
      const definition = { name: metric.name, datatype: metric.datatype, device };
      this.#byName.set(keyOf(device, metric.name), definition);
      // tck-id-payloads-alias-uniqueness: unique over the node and its devices.
      if (metric.alias !== undefined) this.#byAlias.set(metric.alias, definition);
      return [{ ...metric, ...definition }];
    });
  }

  #known(device: string | undefined, metric: Metric): KnownMetric | undefined {
    const definition =
      metric.name === undefined ? this.#byAlias.get(metric.alias ?? -1) : this.#byName.get(keyOf(device, metric.name));
    return definition === undefined
      ? undefined
      : { ...metric, ...definition, datatype: metric.datatype ?? definition.datatype };
  }
}

const keyOf = (device: string | undefined, name: string): string => `${device ?? ""}\0${name}`;

const bdSeqOf = ({ metrics }: SparkplugPayload): bigint | undefined => {
  const value = metrics.find(({ name }) => name === "bdSeq")?.value;
  return typeof value === "bigint" || typeof value === "number" ? BigInt(value) : undefined;
};
