import { z } from "zod";

/**
 * Every setting once: type, range, default, unit, sentence, example. The JSON Schema, the example file and the texts
 * of mistakes are made from it.
 */
const setting = <T extends z.ZodType>(type: T, description: string, example: unknown, unit?: string): T =>
  type.meta({ description, examples: [example], ...(unit === undefined ? {} : { unit }) }) as T;

const name = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const topic = z.string().regex(/^[^\0]{1,1024}$/);
const probability = z.number().min(0).max(1000);

const mqtt = z.strictObject({
  url: setting(
    z
      .string()
      .regex(/^(mqtts?|tcp|tls|wss?):\/\/.+/)
      .optional(),
    "Broker to connect to. Without it an embedded broker runs on the loopback interface.",
    "mqtt://broker.local:1883",
  ),
  embeddedPort: setting(
    z.int().min(0).max(65535).default(1883),
    "Port of the embedded broker on 127.0.0.1; 0 takes any free one.",
    1883,
  ),
  clientId: setting(name.default("ohmwatch"), "Client identifier, unique at the broker.", "ohmwatch-hall-3"),
  username: setting(z.string().min(1).optional(), "User name at the broker.", "ohmwatch"),
  passwordFile: setting(
    z.string().min(1).optional(),
    "File whose first line is the password at the broker.",
    "/run/credentials/ohmwatch.service/mqtt",
  ),
  tls: z
    .strictObject({
      caFile: setting(
        z.string().min(1).optional(),
        "Certificates that the broker's is checked by, PEM.",
        "/etc/ohmwatch/ca.pem",
      ),
      certFile: setting(z.string().min(1).optional(), "Our own certificate, PEM.", "/etc/ohmwatch/gateway.pem"),
      keyFile: setting(
        z.string().min(1).optional(),
        "The key of our own certificate, PEM.",
        "/run/credentials/ohmwatch.service/key",
      ),
    })
    .optional(),
  sessionExpirySeconds: setting(
    z.int().min(0).max(0xffffffff).default(86_400),
    "How long the broker keeps messages of QoS 1 for us while we are away; 0: not at all. Before MQTT 5 the broker decides.",
    86_400,
    "s",
  ),
  version: setting(z.enum(["3.1.1", "5"]).default("3.1.1"), "Version of the protocol.", "5"),
  qos: setting(z.literal([0, 1]).default(1), "Quality of service of subscriptions and publications.", 1),
  base: setting(
    z
      .string()
      .regex(/^[^+#\0]{1,200}$/)
      .default("ohmwatch"),
    "First part of our own topics: samples come in under {base}/in/…, events go out on {base}/events.",
    "ohmwatch",
  ),
});

const http = z.strictObject({
  listen: setting(
    z.string().regex(/^.+:\d{1,5}$/),
    "Address of /metrics, /healthz and /readyz. Off the loopback interface it needs a token.",
    "127.0.0.1:9475",
  ),
  tokenFile: setting(
    z.string().min(1).optional(),
    "File whose first line is the token that clients send as `Authorization: Bearer`.",
    "/run/credentials/ohmwatch.service/http",
  ),
  staleSeconds: setting(
    z.number().positive().optional(),
    "How old the last message of a stream may be for /readyz; without it any age.",
    60,
    "s",
  ),
});

const chip = z.strictObject({
  device: setting(
    z.string().min(1).default("pcm-nandakumar-2019"),
    "Device model of the crossbar, or digital for none.",
    "pcm-nandakumar-2019",
  ),
  seed: setting(z.int().min(0).max(0xffffffff).default(1), "Seed of all that is random in the devices.", 1),
  ageSeconds: setting(z.number().min(0).max(1e10).default(0), "Time since programming.", 86400, "s"),
  compensation: setting(
    z.enum(["none", "global", "per-column"]).default("global"),
    "How drift is compensated by calibration.",
    "global",
  ),
  kernel: setting(z.enum(["simd", "reference"]).default("simd"), "Which kernel computes the products.", "simd"),
});

const decision = z.strictObject({
  label: setting(z.string().min(1), "Label of the model that the rule is for.", "V"),
  severity: setting(z.enum(["critical", "major", "minor", "warning"]).optional(), "Severity of the anomaly.", "major"),
  enter: setting(probability.optional(), "Score at or above which a frame counts as a hit.", 0.9),
  leave: setting(probability.optional(), "Score below which a frame counts towards the end.", 0.5),
  confirm: setting(z.int().min(1).max(10000).optional(), "Hits among the last `window` frames that raise it.", 3),
  window: setting(z.int().min(1).max(10000).optional(), "Frames that `confirm` looks back.", 5, "frames"),
  refractoryMs: setting(z.number().min(0).max(1e9).optional(), "Silence after the end.", 1000, "ms"),
});

const settings = z.strictObject({
  rateHz: setting(z.number().min(0.001).max(1e6).optional(), "Sample rate, where the payload has none.", 16000, "Hz"),
  format: setting(
    z.enum(["s16le", "s24le", "f32le"]).optional(),
    "Format of raw samples, where the payload does not say.",
    "s16le",
  ),
  channels: setting(
    z.array(z.string().min(1)).min(1).max(64).optional(),
    "Names of the channels, where the payload has none.",
    ["mono"],
  ),
  scale: setting(z.number().positive().optional(), "Physical units in one count of raw samples.", 3.0517578125e-5),
});

const queue = z.strictObject({
  maxMessages: setting(z.int().min(1).max(100000).default(256), "Messages that may wait.", 256, "messages"),
  policy: setting(
    z.enum(["block", "drop-oldest"]).default("block"),
    "When it is full: `block` stops reading from the broker, `drop-oldest` loses the oldest and counts it.",
    "drop-oldest",
  ),
});

const stream = z.strictObject({
  name: setting(name, "Name of the stream, unique.", "bed-7-ecg"),
  topic: setting(topic.optional(), "Topic filter; without it {base}/in/{name}.", "ward/+/ecg"),
  codec: setting(z.string().min(1).default("protobuf"), "Codec of the payloads.", "json"),
  pipeline: setting(z.enum(["audio", "ecg", "vibration", "sensor"]), "Pipeline that the samples run through.", "ecg"),
  model: setting(z.string().min(1), "Model of the zoo by name, or an .onnx file by path.", "ecg-beats"),
  settings: settings.prefault({}),
  queue: queue.prefault({}),
  decisions: setting(z.array(decision).default([]), "What differs from the decision rules of the model, by label.", [
    { label: "V", confirm: 3, window: 5 },
  ]),
});

/** The whole configuration. */
export const configSchema = z.strictObject({
  mqtt: mqtt.prefault({}),
  state: z
    .strictObject({
      directory: setting(
        z.string().min(1).default("ohmwatch-state"),
        "Folder of the database.",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: shown to the user as it is
        "${STATE_DIRECTORY:-/var/lib/ohmwatch}",
      ),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: setting(
        z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
        "What is written to standard error at least.",
        "info",
      ),
    })
    .prefault({}),
  http: http.optional(),
  chip: chip.prefault({}),
  streams: setting(z.array(stream).min(1).max(1000), "What comes in.", [
    { name: "bed-7-ecg", pipeline: "ecg", model: "ecg-beats" },
  ]),
});

/** A configuration that holds: all defaults filled in. */
export type Config = z.output<typeof configSchema>;
export type StreamConfig = Config["streams"][number];

/** The schema as JSON Schema 2020-12, for editors and for our own messages. */
export const jsonSchema = (): JsonSchema => z.toJSONSchema(configSchema, { io: "input" }) as JsonSchema;

/** The part of a JSON Schema that we read. */
export interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly pattern?: string;
  readonly unit?: string;
  readonly default?: unknown;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly required?: readonly string[];
}
