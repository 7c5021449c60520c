import { decodePayload } from "sparkplug-payload/lib/sparkplugbpayload.js";
import { describe, expect, it } from "vitest";
import { EdgeNode } from "../../../agent/sparkplug/edge-node.ts";
import { readHostState } from "../../../agent/sparkplug/host-state.ts";

/** What an edge node says, read by an implementation that is not ours. */
const setUp = () => {
  const said: { topic: string; seq: number | undefined; metrics: Record<string, unknown>[] }[] = [];
  const read = ({ topic, payload }: { topic: string; payload: Uint8Array }) => {
    const { seq, metrics } = decodePayload(payload);
    return {
      topic: topic.replace("spBv1.0/hall/", ""),
      seq: seq === undefined || seq === null ? undefined : Number(seq),
      metrics: (metrics ?? []).map(({ name, alias, type, value, isHistorical, timestamp }) => ({
        ...(name && { name }),
        ...(alias && { alias: Number(alias) }),
        ...(type && { type }),
        value: typeof value === "object" && value !== null ? Number(value) : value,
        ...(isHistorical && { isHistorical }),
        timestamp: Number(timestamp),
      })),
    };
  };
  const node = new EdgeNode(
    { group: "hall", edgeNode: "gate" },
    (p) => said.push(read(p)),
    () => 1000,
  );
  return { node, said, read };
};
const pump = {
  name: "pump",
  metrics: [
    { name: "Label", datatype: "String", value: "normal" },
    { name: "Alarm/leak", datatype: "Boolean", value: false },
  ] as const,
};
const bearing = { name: "bearing", metrics: [{ name: "Label", datatype: "String", value: null }] as const };
const bdSeqOf = (death: { metrics: Record<string, unknown>[] }) => death.metrics[0]!["value"];

describe("An edge node of Sparkplug B", () => {
  it("is born with seq 0, bdSeq of its will, Rebirth without alias, and all metrics of all devices", () => {
    const { node, said, read } = setUp();
    const death = read(node.nextDeath());
    expect(death).toEqual({
      topic: "NDEATH/gate",
      seq: undefined, // tck-id-topics-ndeath-seq
      metrics: [{ name: "bdSeq", type: "UInt64", value: 0, timestamp: 1000 }],
    });
    node.bear([{ name: "Version", datatype: "String", value: "1" }], [pump, bearing]);
    expect(said).toEqual([
      {
        topic: "NBIRTH/gate",
        seq: 0,
        metrics: [
          { name: "bdSeq", type: "UInt64", value: 0, timestamp: 1000 },
          { name: "Node Control/Rebirth", type: "Boolean", value: false, timestamp: 1000 },
          { name: "Version", alias: 1, type: "String", value: "1", timestamp: 1000 },
        ],
      },
      {
        topic: "DBIRTH/gate/pump",
        seq: 1,
        metrics: [
          { name: "Label", alias: 2, type: "String", value: "normal", timestamp: 1000 },
          { name: "Alarm/leak", alias: 3, type: "Boolean", value: false, timestamp: 1000 },
        ],
      },
      {
        topic: "DBIRTH/gate/bearing",
        seq: 2,
        metrics: [{ name: "Label", alias: 4, type: "String", value: null, timestamp: 1000 }],
      },
    ]);
  });

  it("tells changes under aliases alone, each with its time; history is marked", () => {
    const { node, said } = setUp();
    node.nextDeath();
    node.bear([], [pump, bearing]);
    said.length = 0;
    node.tell("pump", [
      { name: "Alarm/leak", value: true, timestampMs: 500, isHistorical: true },
      { name: "not born", value: 1, timestampMs: 600 },
    ]);
    node.tell("stranger", [{ name: "Label", value: "x", timestampMs: 700 }]);
    expect(said).toMatchObject([
      { topic: "DDATA/gate/pump", seq: 3, metrics: [{ alias: 2, isHistorical: true, timestamp: 500 }] },
    ]);
    expect(said[0]!.metrics).toHaveLength(1);
    expect(said[0]!.metrics[0]).not.toHaveProperty("name");
    expect(said[0]!.metrics[0]).not.toHaveProperty("type");
  });

  it("counts seq over births, data and deaths, and after 255 comes 0", () => {
    const { node, said } = setUp();
    node.nextDeath();
    node.bear([], [pump]);
    for (let i = 0; i < 600; i++) node.tell("pump", [{ name: "Label", value: `${i}`, timestampMs: i }]);
    node.buryDevice("pump");
    expect(said.map(({ seq }) => seq)).toEqual(Array.from({ length: 603 }, (_, i) => i % 256));
    expect(said.at(-1)).toMatchObject({ topic: "DDEATH/gate/pump", metrics: [] });
  });

  it("is born again with the same bdSeq and the same aliases, and without a death", () => {
    const { node, said } = setUp();
    node.nextDeath();
    node.nextDeath(); // a second connection
    node.bear([], [pump]);
    node.tell("pump", [{ name: "Label", value: "x", timestampMs: 1 }]);
    const first = said.splice(0);
    node.bear([], [pump]);
    expect(said).toEqual(first.slice(0, 2));
    expect(said[0]!.metrics[0]).toMatchObject({ name: "bdSeq", value: 1 });
  });

  it("raises bdSeq with each connection, and after 255 comes 0", () => {
    const { node, read } = setUp();
    const deaths = Array.from({ length: 300 }, () => bdSeqOf(read(node.nextDeath())));
    expect(deaths).toEqual(Array.from({ length: 300 }, (_, i) => i % 256));
    expect(bdSeqOf(read(node.death()))).toBe(299 % 256); // on purpose: the same
  });

  it("says nothing before its birth and nothing after its death", () => {
    const { node, said } = setUp();
    const change = [{ name: "Label", value: "x", timestampMs: 1 }];
    node.nextDeath();
    node.tell("pump", change);
    node.bearDevice(pump);
    expect(said).toEqual([]);
    node.bear([], [pump]);
    node.death();
    said.length = 0;
    node.tell("pump", change);
    node.buryDevice("pump");
    expect(said).toEqual([]);
  });
});

describe("The state of a host", () => {
  const read = (text: string, before?: { isOnline: boolean; timestampMs: number }) =>
    readHostState(new TextEncoder().encode(text), before);

  it("is what it said last by its own clock; what is older is left out", () => {
    const online = read('{"online":true,"timestamp":1000}');
    expect(online).toEqual({ isOnline: true, timestampMs: 1000 });
    expect(read('{"online":false,"timestamp":999}', online)).toBeUndefined();
    expect(read('{"online":false,"timestamp":1000}', online)).toEqual({ isOnline: false, timestampMs: 1000 });
  });

  it("is nothing where it is no state", () => {
    for (const text of ["", "ONLINE", "null", '{"online":"true","timestamp":1}', '{"online":true}']) {
      expect(read(text), text).toBeUndefined();
    }
  });
});
