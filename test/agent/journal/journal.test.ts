import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Journal } from "../../../agent/journal/journal.ts";
import { entriesOf, type JournalEntry, recordBytes, writeRecord } from "../../../agent/journal/record.ts";
import { Unfinished } from "../../../agent/journal/unfinished.ts";
import type { AgentEvent } from "../../../agent/telemetry/events.ts";

const recordOf = (entry: JournalEntry): Buffer => {
  const record = Buffer.alloc(recordBytes(entry));
  expect(writeRecord(record, 0, entry)).toBe(record.length);
  return record;
};
const seconds = (s: number): bigint => BigInt(Math.round(s * 1e9));
const entry: fc.Arbitrary<JournalEntry> = fc.record(
  {
    stream: fc.string({ maxLength: 20, unit: "grapheme" }),
    message: fc.record({
      topic: fc.string({ maxLength: 40, unit: "grapheme" }),
      qos: fc.constantFrom(1 as const, 2 as const),
      receivedAtNs: fc.bigInt({ min: 0n, max: 2n ** 62n }),
      payload: fc.uint8Array({ maxLength: 300 }),
    }),
    inference: fc.maxSafeNat(),
    frameFromNs: fc.bigInt({ min: 0n, max: 2n ** 62n }),
  },
  { requiredKeys: ["stream", "message"] },
);

describe("The file of the journal", () => {
  it("gives back every record, byte for byte", () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 8 }), (entries) => {
        expect(entriesOf(Buffer.concat(entries.map(recordOf)))).toEqual(entries);
      }),
    );
  });

  it("cut anywhere, gives back the whole records before the cut and nothing else", () => {
    fc.assert(
      fc.property(
        fc.array(entry, { minLength: 1, maxLength: 6 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (entries, part) => {
          const records = entries.map(recordOf);
          const bytes = Buffer.concat(records);
          const cut = Math.floor(part * bytes.length);
          let whole = 0;
          for (let end = 0; whole < records.length && end + records[whole]!.length <= cut; whole++)
            end += records[whole]!.length;
          expect(entriesOf(bytes.subarray(0, cut))).toEqual(entries.slice(0, whole));
        },
      ),
    );
  });

  it("damaged anywhere, ends before the damage", () => {
    const entries = [1, 2, 3].map((i) => ({
      stream: "s",
      message: { topic: "t", qos: 1 as const, receivedAtNs: BigInt(i), payload: new Uint8Array(50).fill(i) },
    }));
    const bytes = Buffer.concat(entries.map(recordOf));
    const second = recordOf(entries[0]!).length;
    for (let at = second; at < 2 * second; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 0x10;
      expect(entriesOf(damaged)).toEqual(entries.slice(0, 1));
    }
  });
});

describe("What is unfinished", () => {
  it("is what reaches beyond two seconds before the frame that decisions look back to", () => {
    const unfinished = new Unfinished(3);
    for (let s = 1; s <= 10; s++) unfinished.add({ toNs: seconds(s), at: s, bytes: 1 }); // ends at second s
    const held = () => unfinished.held.map(({ at }) => at);
    for (const from of [4, 5]) unfinished.classified(seconds(from));
    expect(held()).toHaveLength(10); // only two of three frames were seen
    unfinished.classified(seconds(6));
    expect(held()[0]).toBe(3); // the third last began at 4, and 4 − 2 = 2
    unfinished.classified(seconds(9));
    expect(held()[0]).toBe(4);
  });

  it("stays bounded where nothing is ever classified: 4096 messages, 4 MiB", () => {
    const unfinished = new Unfinished(1);
    for (let i = 0; i < 5000; i++) unfinished.add({ toNs: BigInt(i), at: 0, bytes: 10 });
    expect(unfinished.held).toHaveLength(4096);
    for (let i = 0; i < 100; i++) unfinished.add({ toNs: BigInt(i), at: 0, bytes: 100_000 });
    expect(unfinished.bytes).toBeLessThanOrEqual(4 * 2 ** 20);
    expect(unfinished.held.length).toBe(41); // 41 × 100 kB is the most that fits
  });
});

describe("The journal", () => {
  let folder: string;
  const events: AgentEvent[] = [];
  const open = (path = join(folder, "journal")) => {
    const journal = new Journal(path, (event) => events.push(event));
    journal.open("a", 1);
    return journal;
  };
  const message = (s: number, bytes = 10, qos: 0 | 1 = 1) => ({
    topic: "t",
    qos,
    receivedAtNs: seconds(s),
    payload: new Uint8Array(bytes).fill(s % 256),
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ohmwatch-journal-"));
    events.length = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("gives the next run what was committed, with QoS 1, and nothing after a clean stop", () => {
    const journal = open();
    journal.take("a", message(1), seconds(1));
    journal.take("a", message(2, 10, 0), seconds(2));
    journal.commit();
    journal.take("a", message(3), seconds(3)); // taken, not committed: nor was it acknowledged
    expect(
      open()
        .recover()
        .map(({ message: { receivedAtNs } }) => receivedAtNs),
    ).toEqual([seconds(1)]);
    journal.remove();
    expect(open().recover()).toEqual([]);
    expect(existsSync(join(folder, "journal"))).toBe(false);
  });

  it("stays small however much runs through it, and holds what is needed at every moment", () => {
    const journal = open();
    let largest = 0;
    for (let s = 1; s <= 120; s++) {
      journal.take("a", message(s, 50_000), seconds(s));
      journal.commit();
      journal.classified("a", seconds(s - 1));
      largest = Math.max(largest, readFileSync(join(folder, "journal")).length);
      const left = open()
        .recover()
        .map(({ message: { receivedAtNs } }) => receivedAtNs);
      expect(left.slice(-3)).toEqual([s - 2, s - 1, s].filter((t) => t > 0).map(seconds));
    }
    expect(largest).toBeLessThan(4.3 * 2 ** 20); // of 6 MB in all
  });

  it("keeps the message of a slow stream while a fast one fills the file over and over, in order of receipt", () => {
    const journal = open();
    journal.open("slow", 1);
    journal.take("a", message(1), seconds(1));
    journal.take("slow", message(2), seconds(2));
    for (let s = 3; s <= 250; s++) {
      journal.take("a", message(s, 50_000), seconds(s));
      journal.classified("a", seconds(s - 1));
      journal.commit();
    }
    const left = open().recover();
    expect(left[0]).toMatchObject({ stream: "slow", message: { receivedAtNs: seconds(2) } });
    expect(left.at(-1)).toMatchObject({ stream: "a", message: { receivedAtNs: seconds(250) } });
    expect(left.length).toBeLessThan(90); // of 250: cut down at every 4 MiB
  });

  it("is followed by another run's records, not by the torn one before", () => {
    writeFileSync(join(folder, "journal"), recordOf({ stream: "a", message: message(1) }));
    appendFileSync(join(folder, "journal"), recordOf({ stream: "a", message: message(2) }).slice(0, 20));
    const journal = open();
    for (const { message: left } of journal.recover()) journal.take("a", left, left.receivedAtNs);
    journal.commit();
    journal.take("a", message(3), seconds(3));
    journal.commit();
    expect(
      open()
        .recover()
        .map(({ message: { receivedAtNs } }) => receivedAtNs),
    ).toEqual([seconds(1), seconds(3)]);
  });

  it("on a disk that refuses says so and lets the agent go on", () => {
    writeFileSync(join(folder, "file"), "");
    const journal = open(join(folder, "file", "journal"));
    journal.take("a", message(1), seconds(1));
    journal.commit();
    expect(events).toMatchObject([{ name: "JournalFailed", detail: expect.stringContaining("could not be written") }]);
  });
});
