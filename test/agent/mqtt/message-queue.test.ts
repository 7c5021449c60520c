import { describe, expect, it } from "vitest";
import type { MqttMessage } from "../../../agent/mqtt/connection.ts";
import { MessageQueue, type QueuePolicy } from "../../../agent/mqtt/message-queue.ts";

const message = (topic: string, bytes = 0): MqttMessage => ({
  topic,
  qos: 1,
  payload: new Uint8Array(bytes),
  receivedAtNs: 0n,
});
const setUp = (messages: number, policy: QueuePolicy, bytes = 1e6) => {
  const log: string[] = [];
  const queue = new MessageQueue({ messages, bytes }, policy, ({ topic }) => log.push(`drop ${topic}`));
  return {
    log,
    push: (topic: string, payloadBytes = 0) =>
      queue.push(message(topic, payloadBytes), {
        goOn: () => log.push(`on ${topic}`),
        handled: () => log.push(`ack ${topic}`),
      }),
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

describe("A queue that samples", () => {
  it("thins what waits when it is full: the newest stays, and what is lost lies evenly between", () => {
    const { log, push, handle } = setUp(4, "sample");
    for (let i = 0; i < 9; i++) push(String(i));
    const lost = log.filter((line) => line.startsWith("drop")).map((line) => Number(line.slice(5)));
    while (handle());
    const handled = log.filter((line) => line.startsWith("handle")).map((line) => Number(line.slice(7)));
    expect([...lost, ...handled].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(handled).toEqual([0, 6, 8]); // five became 0 2 4, with 5 and 6 five again: 0 4 6, then 0 6 8
    expect(log.filter((line) => line.startsWith("ack"))).toHaveLength(9);
  });
});

describe("A queue of bytes", () => {
  it.each(["drop-oldest", "sample"] as const)("holds no more of them than its limit: %s", (policy) => {
    const { push, queue } = setUp(1000, policy, 100);
    for (let i = 0; i < 50; i++) {
      push(String(i), 30);
      expect(queue.length).toBeLessThanOrEqual(3);
    }
    push("huge", 1000); // let in alone: its codec refuses it
    expect(queue.length).toBe(1);
  });

  it("holds the sender while they are too many, and counts those that were handled out", () => {
    const { log, push, handle } = setUp(1000, "block", 100);
    for (const topic of ["a", "b", "c"]) push(topic, 40);
    expect(log).toEqual(["on a", "on b"]);
    handle();
    expect(log.at(-1)).toBe("on c");
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
    expect(() => new MessageQueue({ messages: 0, bytes: 1 }, "block", () => {})).toThrow(
      "messages: expected an integer ≥ 1, got 0",
    );
  });
});
