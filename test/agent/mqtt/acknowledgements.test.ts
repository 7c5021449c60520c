import { describe, expect, it } from "vitest";
import { Acknowledgements } from "../../../agent/mqtt/acknowledgements.ts";

const message = (text: string) =>
  ({ topic: "t", qos: 1, payload: new TextEncoder().encode(text), receivedAtNs: 0n }) as const;
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const setUp = () => {
  const log: string[] = [];
  const acks = new Acknowledgements({ send: (id) => log.push(`ack ${id}`), commit: () => log.push("commit") });
  return { log, acks };
};

describe("Acknowledgements", () => {
  it("go out in the order of receipt, after one commit for all [MQTT-4.6.0-2]", async () => {
    const { log, acks } = setUp();
    const [one, two, three] = [1, 2, 3].map((id) => acks.take(message(`${id}`), id, false)!);
    two!();
    await settled();
    expect(log).toEqual([]); // the first is not handled yet
    one!();
    await settled();
    expect(log).toEqual(["commit", "ack 1", "ack 2"]);
    three!();
    await settled();
    expect(log).toEqual(["commit", "ack 1", "ack 2", "commit", "ack 3"]);
    expect(acks.length).toBe(0);
  });

  it("are not sent on another connection before the message came again, which is then not handled twice", async () => {
    const { log, acks } = setUp();
    const first = acks.take(message("a"), 7, false)!;
    const second = acks.take(message("b"), 8, false)!;
    acks.interrupted();
    first();
    await settled();
    expect(log).toEqual([]);
    expect(acks.take(message("a"), 7, true)).toBeUndefined();
    expect(acks.take(message("b"), 8, true)).toBeUndefined();
    await settled();
    expect(log).toEqual(["commit", "ack 7"]);
    second(); // still in its queue when the connection broke
    await settled();
    expect(log).toEqual(["commit", "ack 7", "commit", "ack 8"]);
  });

  it("know a new message under an old identifier, and forget all with the session", () => {
    const { acks } = setUp();
    acks.take(message("a"), 7, false);
    acks.take(message("b"), 8, false);
    acks.take(message("c"), 9, false);
    acks.interrupted();
    expect(acks.take(message("other"), 7, true)).toBeDefined();
    expect(acks.take(message("b"), 8, false)).toBeDefined(); // not marked as a repetition: it is another one
    acks.forgotten();
    expect(acks.take(message("c"), 9, true)).toBeDefined();
  });
});
