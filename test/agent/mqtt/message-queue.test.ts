import { describe, expect, it } from "vitest";
import type { MqttMessage } from "../../../agent/mqtt/connection.ts";
import { MessageQueue } from "../../../agent/mqtt/message-queue.ts";

const message = (topic: string): MqttMessage => ({
  topic,
  qos: 1,
  payload: new Uint8Array(),
  receivedAtNs: 0n,
});
const setUp = (limit: number, policy: "block" | "drop-oldest") => {
  const log: string[] = [];
  const queue = new MessageQueue(limit, policy, ({ topic }) => log.push(`drop ${topic}`));
  return {
    log,
    push: (topic: string) =>
      queue.push(message(topic), { goOn: () => log.push(`on ${topic}`), handled: () => log.push(`ack ${topic}`) }),
    handle: () => queue.handleOne(({ topic }) => log.push(`handle ${topic}`)),
    queue,
  };
};

describe("A queue that drops its oldest", () => {
  it("never holds the sender, never holds more than its limit, and acknowledges what it lost", () => {
    const { log, push, handle, queue } = setUp(2, "drop-oldest");
    for (const topic of ["a", "b", "c"]) push(topic);
    expect(queue.length).toBe(2);
    while (handle());
    expect(log.join()).toBe("on a,on b,drop a,ack a,on c,handle b,ack b,handle c,ack c");
  });
});

describe("A queue that blocks", () => {
  it("loses nothing: the sender waits until there is room", () => {
    const { log, push, handle } = setUp(1, "block");
    push("a");
    push("b");
    expect(log).toEqual(["on a"]);
    handle();
    expect(log).toEqual(["on a", "handle a", "ack a", "on b"]);
  });

  it("lets a message be acknowledged only after it was handled", () => {
    const { log, push, handle } = setUp(8, "block");
    push("a");
    expect(log).toEqual(["on a"]);
    handle();
    expect(log).toEqual(["on a", "handle a", "ack a"]);
  });

  it("lets the sender go on even when handling throws", () => {
    const { log, push, queue } = setUp(8, "block");
    push("a");
    expect(() =>
      queue.handleOne(() => {
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(log).toEqual(["on a", "ack a"]);
  });
});

describe("A queue", () => {
  it("says that it is empty, and refuses a limit below one", () => {
    expect(setUp(1, "block").handle()).toBe(false);
    expect(() => new MessageQueue(0, "block", () => {})).toThrow("limit: expected an integer ≥ 1, got 0");
  });
});
