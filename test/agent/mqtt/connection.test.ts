import { createServer, type Server } from "node:net";
import { Aedes } from "aedes";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { configSchema } from "../../../agent/config/schema.ts";
import { type Connection, connect, type MqttMessage } from "../../../agent/mqtt/connection.ts";
import type { Sender } from "../../../agent/mqtt/message-queue.ts";

const streams = [{ name: "s", pipeline: "ecg", model: "ecg-beats" }];
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
};

/** A broker in which every acknowledgement can be seen. */
let broker: Aedes;
let server: Server;
let connection: Connection;
const acknowledged: string[] = [];
const events: string[] = [];
const taken: { message: MqttMessage; sender: Sender }[] = [];

beforeEach(async () => {
  acknowledged.length = 0;
  taken.length = 0;
  broker = await Aedes.createBroker();
  broker.on("ack", (packet) => {
    if (packet !== undefined && "payload" in packet) acknowledged.push(String(packet.payload));
  });
  server = createServer(broker.handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const url = `mqtt://127.0.0.1:${port}`;
  connection = connect({
    url,
    mqtt: configSchema.parse({ mqtt: { url, keepAliveSeconds: 1 }, streams }).mqtt,
    filters: ["in/#"],
    onMessage: (message, sender) => {
      taken.push({ message, sender });
      sender.goOn();
    },
    commit: () => acknowledged.push("commit"),
    emit: ({ name }) => events.push(name),
    nowNs: () => 0n,
  });
  connection.listen({
    filters: ["cmd/+"],
    onMessage: (message) => taken.push({ message, sender: undefined as never }),
  });
  await connection.connected;
  await connection.subscribeTo(["in/#"]); // the broker has confirmed all
});
afterEach(async () => {
  await connection.close();
  await new Promise<void>((resolve) => broker.close(() => server.close(() => resolve())));
});

const publish = (topic: string, text: string) =>
  new Promise<void>((resolve) => {
    broker.publish({ cmd: "publish", topic, payload: Buffer.from(text), qos: 1, retain: false, dup: false }, () =>
      resolve(),
    );
  });

describe("A connection", () => {
  it("reads on while a message is handled, and acknowledges in order, after the commit", async () => {
    for (const text of ["a", "b", "c"]) await publish("in/x", text);
    await until(() => taken.length === 3);
    taken[1]!.sender.handled();
    await publish("cmd/x", "d"); // goes to its listener though three messages are not acknowledged
    await until(() => taken.length === 4);
    expect(acknowledged).toEqual([]);
    taken[0]!.sender.handled();
    await until(() => acknowledged.length === 3);
    expect(acknowledged).toEqual(["commit", "a", "b"]);
    taken[2]!.sender.handled();
    await until(() => acknowledged.includes("d"));
    expect(acknowledged.filter((text) => text !== "commit")).toEqual(["a", "b", "c", "d"]);
  });

  it("keeps its keep-alive of a second though a message is held for four", async () => {
    await publish("in/x", "slow");
    await until(() => taken.length === 1);
    let pings = 0;
    await new Promise<void>((resolve) => broker.on("ping", () => ++pings === 4 && resolve()));
    expect(connection.isConnected()).toBe(true);
    taken[0]!.sender.handled();
    await until(() => acknowledged.includes("slow"));
  });

  it("outlives a listener that fails: its message is acknowledged and the next one is read", async () => {
    connection.listen({
      filters: ["bad/+"],
      onMessage: () => {
        throw new Error("no");
      },
    });
    await connection.subscribeTo(["in/#"]); // the broker has confirmed all
    await publish("bad/x", "bad");
    await publish("cmd/x", "good");
    await until(() => acknowledged.includes("good"));
    expect(acknowledged.filter((text) => text !== "commit")).toEqual(["bad", "good"]);
    expect(events).toContain("ServiceFailed");
  });

  it("takes nothing more once it was told so, and leaves it with the broker", async () => {
    await connection.unsubscribe();
    await publish("in/x", "late");
    await publish("in/x", "later");
    await connection.close();
    expect(taken).toEqual([]);
    expect(acknowledged).toEqual([]);
  });
});
