import { describe, expect, it } from "vitest";
import type { MqttMessage } from "../../../agent/mqtt/connection.ts";
import { MessageQueue } from "../../../agent/mqtt/message-queue.ts";

const message = (topic: string, qos: 0 | 1 = 0): MqttMessage => ({
  topic,
  qos,
  payload: new Uint8Array(),
  receivedAtNs: 0n,
});
const setUp = (limit: number, policy: "block" | "drop-oldest") => {
  const log: string[] = [];
  const queue = new MessageQueue(limit, policy, ({ topic }) => log.push(`drop ${topic}`));
  return {
    log,
    push: (topic: string, qos: 0 | 1 = 0) => queue.push(message(topic, qos), () => log.push(`done ${topic}`)),
    handle: () => queue.handleOne(({ topic }) => log.push(`handle ${topic}`)),
    queue,
  };
};

describe("A queue that drops its oldest", () => {
  it("never holds the sender and never holds more than its limit", () => {
    const { log, push, handle, queue } = setUp(2, "drop-oldest");
    for (const topic of ["a", "b", "c"]) push(topic, 1);
    expect(queue.length).toBe(2);
    while (handle());
    expect(log).toEqual(["done a", "done b", "drop a", "done c", "handle b", "handle c"]);
  });
});

describe("A queue that blocks", () => {
  it("loses nothing: the sender waits until there is room", () => {
    const { log, push, handle } = setUp(1, "block");
    push("a");
    push("b");
    expect(log).toEqual(["done a"]);
    handle();
    expect(log).toEqual(["done a", "handle a", "done b"]);
  });

  it("acknowledges a message of QoS 1 only after it was handled", () => {
    const { log, push, handle } = setUp(8, "block");
    push("a", 1);
    expect(log).toEqual([]);
    handle();
    expect(log).toEqual(["handle a", "done a"]);
  });

  it("lets the sender go on even when handling throws", () => {
    const { log, push, queue } = setUp(8, "block");
    push("a", 1);
    expect(() =>
      queue.handleOne(() => {
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(log).toEqual(["done a"]);
  });
});

describe("A queue", () => {
  it("says that it is empty, and refuses a limit below one", () => {
    expect(setUp(1, "block").handle()).toBe(false);
    expect(() => new MessageQueue(0, "block", () => {})).toThrow("limit: expected an integer ≥ 1, got 0");
  });
});
