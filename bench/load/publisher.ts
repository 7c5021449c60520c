import { connect } from "node:net";
import { generate, type Packet, parser } from "mqtt-packet";
import { codecByName } from "../../agent/codecs/codec.ts";
import { payloadBytes, rateHz, samplesEach } from "./setting.ts";

/**
 * A sensor that sends as fast as the broker takes it, or at a rate: packets are made before the clock starts, so that
 * it costs as little of the machine as it can. `node publisher.ts PORT TOPIC QOS COUNT [RATE]`.
 */
const [port, topic, qosText, countText, rateText] = process.argv.slice(2) as [string, string, string, string, string?];
const qos = Number(qosText) as 0 | 1;
const count = Number(countText);
const rate = rateText === undefined ? undefined : Number(rateText);

const codec = codecByName("protobuf");
const samples = Float32Array.from({ length: samplesEach }, (_, i) => Math.sin((2 * Math.PI * 1000 * i) / rateHz));
const startAtNs = BigInt(Date.now()) * 1_000_000n;
const packetOf = (i: number, atNs: bigint): Buffer => {
  const block = { stream: "s", startAtNs: atNs, sampleRateHz: rateHz, channels: ["acceleration"], samples };
  const payload = codec.encode!(block, { format: "s16le", scale: 1 / 32767, seq: firstSeq + i });
  if (payload.length !== payloadBytes)
    throw new Error(`payload: expected ${payloadBytes} bytes, got ${payload.length}`);
  return generate({
    cmd: "publish",
    topic,
    qos,
    dup: false,
    retain: false,
    messageId: (i % 65_535) + 1,
    payload: Buffer.from(payload),
  });
};
/** Large enough that its length does not change on the way. */
const firstSeq = 2 ** 22;
const blockNs = BigInt(Math.round((samplesEach / rateHz) * 1e9));

const socket = connect(Number(port), "127.0.0.1").setNoDelay();
socket.write(
  generate({
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: 4,
    clean: true,
    clientId: `load-${process.pid}`,
    keepalive: 0,
  }),
);
let acknowledged = 0;
let wake = (): void => {};
await new Promise<void>((resolve) => {
  const parse = parser({ protocolVersion: 4 });
  parse.on("packet", (packet: Packet) => {
    if (packet.cmd === "connack") resolve();
    if (packet.cmd === "puback") {
      acknowledged++;
      wake();
    }
  });
  socket.on("data", (part) => parse.parse(part));
});

const drained = (): Promise<void> => new Promise((resolve) => socket.once("drain", () => resolve()));
if (rate === undefined) {
  const packets = Array.from({ length: count }, (_, i) => packetOf(i, startAtNs + BigInt(i) * blockNs));
  process.stdout.write("ready\n");
  await new Promise((resolve) => process.stdin.once("data", resolve));
  const most = qos === 0 ? Number.POSITIVE_INFINITY : 2000;
  for (let i = 0; i < count; i += 20) {
    while (i - acknowledged > most)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    if (!socket.write(Buffer.concat(packets.slice(i, i + 20)))) await drained();
  }
} else {
  process.stdout.write("ready\n");
  await new Promise((resolve) => process.stdin.once("data", resolve));
  const startedAt = performance.now();
  const sentAtMs: number[] = [];
  for (let i = 0; i < count; i++) {
    const dueMs = startedAt + (1000 * i) / rate;
    while (dueMs > performance.now()) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
    }
    sentAtMs.push(performance.timeOrigin + performance.now());
    socket.write(packetOf(i, startAtNs + BigInt(i) * blockNs));
  }
  process.stdout.write(
    `sent ${JSON.stringify({ startAtNs: String(startAtNs), blockNs: String(blockNs), sentAtMs })}\n`,
  );
}
while (qos === 1 && acknowledged < count)
  await new Promise<void>((resolve) => {
    wake = resolve;
  });
socket.end();
process.stdin.destroy();
