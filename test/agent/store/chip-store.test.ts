import { expect, it } from "vitest";
import { modelBytes } from "../../../agent/models.ts";
import { pack, type StoredChip, unpack } from "../../../agent/store/chip-record.ts";
import { chipSchema } from "../../../agent/store/chip-schema.ts";
import { ChipStore } from "../../../agent/store/chip-store.ts";
import { openWithSchema } from "../../../agent/store/database.ts";
import { deviceByName } from "../../../models/crossbar/devices/registry.ts";
import { parseModel } from "../../../models/load.ts";
import { AnalogNetwork } from "../../../models/network/analog.ts";

it("A chip of the version before is read as it was, and one of a version to come is not", () => {
  const { graph, manifest } = parseModel(modelBytes("pump-anomaly"));
  const device = deviceByName("pcm-nandakumar-2019");
  const network = new AnalogNetwork(graph, { device, seed: 1, kernel: "simd", mapping: manifest.mapping });
  const chip: StoredChip<string> = { state: network.state(), knowledge: "all" };
  const database = openWithSchema(":memory:", chipSchema);
  const store = new ChipStore<string>(database);
  store.save("key", "pump-anomaly", chip, "all");
  const asVersion = (version: number): void => {
    const row = database.prepare("SELECT head, sha256 FROM chips").get() as { head: Buffer; sha256: Buffer };
    const { bytes, sha256 } = pack({ ...(unpack(row.head, row.sha256, "head") as object), version });
    database.prepare("UPDATE chips SET head = ?, sha256 = ?").run(bytes, sha256);
  };
  for (const version of [1, 2, 3]) {
    asVersion(version);
    expect(store.load("key")).toEqual(chip);
  }
  asVersion(4);
  expect(() => store.load("key")).toThrow("chip key: expected a state of version 1 or 2 or 3, got 4");
  store.close();
});
