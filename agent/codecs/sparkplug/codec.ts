import type { SampleBlock } from "../../../pipelines/signal.ts";
import { blockOf, limits, refuse, refuseSize } from "../chunk.ts";
import type { DecodeContext, DecodeResult, PayloadCodec, SourceNews } from "../payload-codec.ts";
import { RunningTime } from "../running-time.ts";
import { EdgeNodeSession, type KnownMetric, type Told } from "./edge-node-session.ts";
import { decodeSparkplug, encodeSparkplug, type SparkplugPayload, valueAs } from "./payload.ts";
import { parseTopic, type SparkplugTopic, topicOf } from "./topic.ts";

/** A node is asked for its birth again at most this often: the answer may be on its way. */
const rebirthEveryNs = 10_000_000_000n;

/** Edge nodes and metrics that one stream may know; their names come from outside. */
const maxNodes = 64;

/**
 * Sparkplug B 3.0, as a host application reads it. The stream takes all messages of an edge node,
 * `spBv1.0/{group}/+/{edge node}/#`; `settings.channels` names its metrics, `{metric}` or `{device}/{metric}`.
 *
 * An array is a chunk of the waveform, its time that of its first sample, its rate the property `rate_hz` or the
 * settings'; arrays of one payload are channels of one block. A number is a reading: each message that has one of the
 * channels gives a row, what did not change keeps its value (report by exception), null and what is of bad or stale
 * quality is NaN. A missed message, an unknown alias or a node without birth is asked for its birth again.
 */
export const createSparkplugCodec = (): PayloadCodec => {
  const nodes = new Map<string, EdgeNodeSession>();
  const askedAtNs = new Map<string, bigint>();
  const held = new Map<string, HeldValue>();
  const runningTime = new RunningTime();

  const newsOf = (topic: SparkplugTopic, told: Told, receivedAtNs: bigint): SourceNews => {
    const node = `${topic.group}/${topic.edgeNode}`;
    const isAlive = told.died === undefined ? (told.isBirth ? { isAlive: true } : {}) : { isAlive: false };
    if (told.isBirth && !told.needsRebirth) askedAtNs.delete(node);
    const asked = askedAtNs.get(node);
    if (!told.needsRebirth || (asked !== undefined && receivedAtNs - asked < rebirthEveryNs)) return isAlive;
    askedAtNs.set(node, receivedAtNs);
    return { ...isAlive, ask: rebirthCommand(topic, receivedAtNs) };
  };

  return {
    name: "sparkplug-b",
    refuseTopic: (filter) =>
      /^spBv1\.0\/[^/+#]+\/\+\/[^/+#]+\/#$/.test(filter)
        ? undefined
        : `topic: expected all messages of one edge node, spBv1.0/{group}/+/{edge node}/#, got ${filter}`,
    decode(payload, context): DecodeResult {
      const refused = refuseSize(payload);
      if (refused !== undefined) return refused;
      const topic = parseTopic(context.topic);
      if (topic === undefined) return refuse("malformed", `topic: expected one of Sparkplug B, got ${context.topic}`);
      if (topic.kind.endsWith("CMD")) return { ok: true, blocks: [] };
      let message: SparkplugPayload;
      try {
        message = decodeSparkplug(payload);
      } catch {
        return refuse("malformed", `payload: expected that of Sparkplug B, got ${payload.length} bytes that are none`);
      }
      const key = `${topic.group}/${topic.edgeNode}`;
      let node = nodes.get(key);
      if (node === undefined) {
        if (nodes.size >= maxNodes)
          return refuse("too-large", `topic: expected at most ${maxNodes} edge nodes, got more`);
        node = new EdgeNodeSession();
        nodes.set(key, node);
      }
      const told = node.take(topic, message);
      const news = newsOf(topic, told, context.receivedAtNs);
      for (const [channel, { device }] of held) {
        if (told.died === "node" || (told.died !== undefined && told.died.device === device)) held.delete(channel);
      }
      const result = blocksOf(told, { message, context, held, runningTime });
      return { ...result, news };
    },
  };
};

const rebirthCommand = ({ group, edgeNode }: SparkplugTopic, atNs: bigint): NonNullable<SourceNews["ask"]> => ({
  topic: topicOf({ group, kind: "NCMD", edgeNode, device: undefined }),
  // tck-id-payloads-ncmd-qos, tck-id-operational-behavior-data-commands-rebirth-name
  payload: encodeSparkplug({
    timestampMs: Number(atNs / 1_000_000n),
    metrics: [
      { name: "Node Control/Rebirth", datatype: "Boolean", value: true, timestampMs: Number(atNs / 1_000_000n) },
    ],
  }),
});

/** The last number of a channel, and the device that sent it; undefined: the node itself. */
interface HeldValue {
  readonly value: number;
  readonly device: string | undefined;
}

interface Around {
  readonly message: SparkplugPayload;
  readonly context: DecodeContext;
  /** By channel. */
  readonly held: Map<string, HeldValue>;
  readonly runningTime: RunningTime;
}

const blocksOf = (told: Told, around: Around): DecodeResult => {
  const { message, context, held } = around;
  const { channels } = context.settings;
  if (channels === undefined) {
    return refuse("missing-field", "settings.channels: expected the names of metrics, got none");
  }
  const chosen = told.metrics.flatMap((metric) => {
    const channel = channels.find((name) => name === metric.name || name === `${metric.device}/${metric.name}`);
    return channel === undefined ? [] : [{ channel, metric, value: channelValue(metric) }];
  });
  const arrays = chosen.filter(({ value }) => value instanceof Float64Array);
  const numbers = chosen.filter(({ value }) => typeof value === "number");
  const unread = chosen.find(({ value }) => value === undefined);
  if (unread !== undefined) {
    return refuse("wrong-format", `${unread.channel}: expected a number or an array of numbers, got something else`);
  }
  if (told.isBirth) {
    hold(held, numbers as readonly Chosen<number>[]);
    return { ok: true, blocks: [] };
  }
  if (told.needsRebirth && chosen.length === 0) {
    return refuse("unknown-metric", "metrics: expected names or aliases that a birth told, got others or a gap in seq");
  }
  const blocks: SampleBlock[] = [];
  if (arrays.length > 0) {
    const result = waveform(arrays as readonly Chosen<Float64Array>[], around);
    if (!result.ok) return result;
    blocks.push(...result.blocks);
  }
  for (const [timestampMs, row] of rowsOf(numbers as readonly Chosen<number>[], message)) {
    hold(held, row);
    const values = Float32Array.from(channels, (name) => held.get(name)?.value ?? Number.NaN);
    const result = block(values, { channels, timestampMs, rateHz: undefined }, around);
    if (!result.ok) return result;
    blocks.push(...result.blocks);
  }
  return { ok: true, blocks };
};

const hold = (held: Map<string, HeldValue>, numbers: readonly Chosen<number>[]): void => {
  for (const { channel, value, metric } of numbers) held.set(channel, { value, device: metric.device });
};

interface Chosen<Value> {
  readonly channel: string;
  readonly metric: KnownMetric;
  readonly value: Value;
}

/** Readings by their time, in order: a flush of history has many in one message. */
const rowsOf = (
  numbers: readonly Chosen<number>[],
  message: SparkplugPayload,
): readonly (readonly [number | undefined, readonly Chosen<number>[]])[] => {
  const byTime = new Map<number | undefined, Chosen<number>[]>();
  for (const chosen of numbers) {
    const at = chosen.metric.timestampMs ?? message.timestampMs;
    byTime.set(at, [...(byTime.get(at) ?? []), chosen]);
  }
  return [...byTime].sort(([a], [b]) => (a ?? 0) - (b ?? 0));
};

const waveform = (arrays: readonly Chosen<Float64Array>[], around: Around): DecodeResult => {
  const [{ metric, value }] = arrays as readonly [Chosen<Float64Array>];
  const rows = value.length;
  const unequal = arrays.find((other) => other.value.length !== rows);
  if (unequal !== undefined) {
    return refuse(
      "wrong-length",
      `${unequal.channel}: expected ${rows} samples as in ${arrays[0]!.channel}, got ${unequal.value.length}`,
    );
  }
  if (rows * arrays.length > limits.samples) {
    return refuse("too-large", `data: expected at most ${limits.samples} samples, got ${rows * arrays.length}`);
  }
  const values = new Float32Array(rows * arrays.length);
  arrays.forEach(({ value: samples }, c) => {
    for (let i = 0; i < rows; i++) values[i * arrays.length + c] = samples[i]!;
  });
  const channels = arrays.map(({ channel }) => channel);
  const timestampMs = metric.timestampMs ?? around.message.timestampMs;
  return block(values, { channels, timestampMs, rateHz: metric.properties?.["rate_hz"] }, around);
};

const block = (
  values: Float32Array,
  head: {
    readonly channels: readonly string[];
    readonly timestampMs: number | undefined;
    readonly rateHz: number | undefined;
  },
  { context, runningTime }: Around,
): DecodeResult => {
  const t0Ns = head.timestampMs === undefined ? undefined : BigInt(Math.trunc(head.timestampMs)) * 1_000_000n;
  const { rateHz, channels } = head;
  const scale = context.settings.scale;
  return blockOf({ t0Ns, rateHz, channels, scale, n: undefined, values, isLeadOff: false }, { context, runningTime });
};

/** Quality of a metric that means nothing: 0 bad, 500 stale; Sparkplug B 3.0, 6.4.22. */
const isBad = ({ properties }: KnownMetric): boolean => {
  const quality = properties?.["Quality"] ?? properties?.["quality"];
  return quality === 0 || quality === 500;
};

/** What a metric gives a channel: a number, NaN where it has none, an array; undefined where it is neither. */
const channelValue = (metric: KnownMetric): number | Float64Array | undefined => {
  if (metric.value === null || isBad(metric)) return Number.NaN;
  const value = metric.value ?? (metric.raw === undefined ? undefined : valueAs(metric.raw, metric.datatype));
  if (value instanceof Float64Array || typeof value === "number") return value;
  if (typeof value === "bigint" || typeof value === "boolean") return Number(value);
  return undefined;
};
