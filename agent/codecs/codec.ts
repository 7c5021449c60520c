import { createCborCodec } from "./cbor.ts";
import { createFhirCodec } from "./fhir.ts";
import { createJsonCodec } from "./json.ts";
import { createMfccCodec } from "./mfcc.ts";
import type { PayloadCodec } from "./payload-codec.ts";
import { createPcmCodec } from "./pcm.ts";
import { createProtobufCodec } from "./protobuf.ts";
import { createReadingsCodec } from "./readings.ts";
import { createSparkplugCodec } from "./sparkplug/codec.ts";
import { createWavCodec } from "./wav.ts";

export type {
  CodecSettings,
  DecodeContext,
  DecodeError,
  DecodeReason,
  DecodeResult,
  EncodeOptions,
  PayloadCodec,
  SampleFormat,
  SourceNews,
} from "./payload-codec.ts";

const codecs: Readonly<Record<string, () => PayloadCodec>> = {
  protobuf: createProtobufCodec,
  json: createJsonCodec,
  cbor: createCborCodec,
  readings: createReadingsCodec,
  fhir: createFhirCodec,
  "sparkplug-b": createSparkplugCodec,
  pcm: createPcmCodec,
  wav: createWavCodec,
  mfcc: createMfccCodec,
};

/** Names of all codecs, for configurations. */
export const codecNames: readonly string[] = Object.keys(codecs);

/** Those that also write payloads, for replays. */
export const encoderNames: readonly string[] = codecNames.filter((name) => codecs[name]!().encode !== undefined);

/**
 * A new codec of this name, for one stream.
 * @throws RangeError where there is none of this name
 */
export const codecByName = (name: string): PayloadCodec => {
  const create = Object.hasOwn(codecs, name) ? codecs[name] : undefined;
  if (create === undefined) throw new RangeError(`codec: expected one of ${codecNames.join(", ")}, got ${name}`);
  return create();
};
