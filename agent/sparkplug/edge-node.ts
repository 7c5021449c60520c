import type { Datatype } from "../codecs/sparkplug/datatypes.ts";
import { encodeSparkplug, type Metric, type MetricValue } from "../codecs/sparkplug/payload.ts";
import { type SparkplugKind, topicOf } from "../codecs/sparkplug/topic.ts";

/** A metric as a birth tells it. */
export interface BirthMetric {
  readonly name: string;
  readonly datatype: Datatype;
  readonly value: MetricValue;
}

/** A device with all that it will ever tell. */
export interface Device {
  readonly name: string;
  readonly metrics: readonly BirthMetric[];
}

/** A change of one metric. */
export interface Change {
  readonly name: string;
  readonly value: MetricValue;
  readonly timestampMs: number;
  readonly isHistorical?: boolean;
}

/** Takes what the node says. */
export type Say = (publication: { readonly topic: string; readonly payload: Uint8Array }) => void;

/**
 * The messages of an edge node of Sparkplug B 3.0: births, data, deaths, with their numbers. Knows no connection; it
 * says nothing before it is born and nothing after it died.
 */
export class EdgeNode {
  readonly #group: string;
  readonly #edgeNode: string;
  readonly #say: Say;
  readonly #nowMs: () => number;
  #bdSeq = -1;
  #seq = 0;
  #isBorn = false;
  /** By device and name; unique over the node. tck-id-payloads-alias-uniqueness */
  #definitions = new Map<string, { readonly alias: number; readonly datatype: Datatype }>();

  constructor(ids: { readonly group: string; readonly edgeNode: string }, say: Say, nowMs: () => number) {
    this.#group = ids.group;
    this.#edgeNode = ids.edgeNode;
    this.#say = say;
    this.#nowMs = nowMs;
  }

  get isBorn(): boolean {
    return this.#isBorn;
  }

  /**
   * The death of the next connection, for its will. tck-id-topics-nbirth-bdseq-increment: one more than for the last
   * one, after 255 comes 0.
   */
  nextDeath(): { readonly topic: string; readonly payload: Uint8Array } {
    this.#isBorn = false;
    this.#bdSeq = (this.#bdSeq + 1) % 256;
    return this.death();
  }

  /** The death of this connection, to be said before leaving on purpose. */
  death(): { readonly topic: string; readonly payload: Uint8Array } {
    this.#isBorn = false;
    // tck-id-topics-ndeath-payload, -seq: bdSeq alone, and no seq.
    return { topic: this.#topic("NDEATH", undefined), payload: encodeSparkplug({ metrics: [this.#bdSeqMetric()] }) };
  }

  /** Be born, or born again with the same bdSeq. tck-id-operational-behavior-data-commands-rebirth-action-3 */
  bear(node: readonly BirthMetric[], devices: readonly Device[]): void {
    this.#isBorn = true;
    this.#definitions = new Map();
    this.#seq = 255; // tck-id-payloads-nbirth-seq: the birth has 0
    this.#send("NBIRTH", undefined, [
      this.#bdSeqMetric(),
      // tck-id-topics-nbirth-rebirth-metric; without an alias: tck-id-operational-behavior-data-commands-rebirth-name-aliases
      { name: "Node Control/Rebirth", datatype: "Boolean", value: false, timestampMs: this.#nowMs() },
      ...this.#defined(undefined, node),
    ]);
    for (const device of devices) this.bearDevice(device);
  }

  /** A device is there. */
  bearDevice({ name, metrics }: Device): void {
    if (this.#isBorn) this.#send("DBIRTH", name, this.#defined(name, metrics));
  }

  /** A device is gone. */
  buryDevice(name: string): void {
    if (this.#isBorn) this.#send("DDEATH", name, []);
  }

  /** What changed, under aliases alone. What the birth did not tell is left out. */
  tell(device: string, changes: readonly Change[]): void {
    const metrics = changes.flatMap(({ name, value, timestampMs, isHistorical }): Metric[] => {
      const definition = this.#definitions.get(keyOf(device, name));
      if (definition === undefined) return [];
      return [{ ...definition, value, timestampMs, ...(isHistorical && { isHistorical }) }];
    });
    if (this.#isBorn && metrics.length > 0) this.#send("DDATA", device, metrics);
  }

  #defined(device: string | undefined, metrics: readonly BirthMetric[]): readonly Metric[] {
    return metrics.map(({ name, datatype, value }) => {
      const alias = this.#definitions.get(keyOf(device, name))?.alias ?? this.#definitions.size + 1;
      this.#definitions.set(keyOf(device, name), { alias, datatype });
      return { name, alias, datatype, value, timestampMs: this.#nowMs() };
    });
  }

  #send(kind: SparkplugKind, device: string | undefined, metrics: readonly Metric[]): void {
    // tck-id-payloads-sequence-num-incrementing, tck-id-payloads-sequence-num-zero-nbirth
    this.#seq = (this.#seq + 1) % 256;
    const payload = encodeSparkplug({ timestampMs: this.#nowMs(), seq: this.#seq, metrics });
    this.#say({ topic: this.#topic(kind, device), payload });
  }

  #bdSeqMetric(): Metric {
    return { name: "bdSeq", datatype: "UInt64", value: BigInt(this.#bdSeq), timestampMs: this.#nowMs() };
  }

  #topic(kind: SparkplugKind, device: string | undefined): string {
    return topicOf({ group: this.#group, kind, edgeNode: this.#edgeNode, device });
  }
}

const keyOf = (device: string | undefined, name: string): string => `${device ?? ""}\0${name}`;
