import { existsSync, renameSync } from "node:fs";
import type Database from "better-sqlite3";
import type { ChipState, TileState } from "../../models/crossbar/tile-state.ts";
import {
  type ChipRequest,
  ChipUnreadable,
  pack,
  type StepTotal,
  type StoredChip,
  type StoredClock,
  type TileName,
  type UpkeepStep,
  unpack,
} from "./chip-record.ts";
import { chipSchema } from "./chip-schema.ts";
import { DatabaseError, openWithSchema } from "./database.ts";

/**
 * Forms of what is stored: 2 has digital offsets and new ranges of ADCs, which 1 does not know, 3 tiles that stand on spare
 * ones. It is stored in 3 only where there are some, so that older programs go on with all other chips.
 */
const readable: readonly number[] = [1, 2, 3];
const versionOf = (arrays: ChipState["arrays"]): number =>
  Object.values(arrays).some(({ tiles }) => tiles.some(({ spare }) => spare !== undefined)) ? 3 : 2;

/** Everything of a chip but its devices. */
interface Head<Knowledge> {
  readonly version: number;
  /** SHA-256 of the devices of each tile, by array: a chip is whole, or it is none. */
  readonly cells: Readonly<Record<string, readonly string[]>>;
  readonly state: { readonly arrays: Readonly<Record<string, ArrayHead>> };
  readonly knowledge: Knowledge;
}
interface ArrayHead {
  readonly atSeconds: number;
  readonly celsius: number;
  readonly tiles: readonly Omit<TileState, "cells">[];
}

/**
 * The memory of chips that the power does not hold: one SQLite file beside the anomalies. Whatever changes together is
 * one transaction, so that a power cut leaves the chip as it was or as it was to be. Each part carries its SHA-256.
 */
export class ChipStore<Knowledge> {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** The clock as last stored; undefined for a new file. */
  clock(): StoredClock | undefined {
    const row = this.#database.prepare("SELECT chip_seconds AS chipSeconds, wall_ms AS wallMs FROM clock").get();
    return row as StoredClock | undefined;
  }

  setClock({ chipSeconds, wallMs }: StoredClock): void {
    this.#database.prepare("INSERT OR REPLACE INTO clock VALUES (1, ?, ?)").run(chipSeconds, wallMs);
  }

  /** A chip as stored, of one moment also while an agent writes; undefined where there is none. @throws ChipUnreadable */
  load(key: string): StoredChip<Knowledge> | undefined {
    return this.#database.transaction(() => this.#load(key))();
  }

  #load(key: string): StoredChip<Knowledge> | undefined {
    const row = this.#database.prepare("SELECT inference, head, sha256 FROM chips WHERE key = ?").get(key) as
      | { inference: number; head: Buffer; sha256: Buffer }
      | undefined;
    if (row === undefined) return undefined;
    const head = unpack(row.head, row.sha256, `chip ${key}`) as Head<Knowledge>;
    if (!readable.includes(head.version)) {
      throw new ChipUnreadable(
        `chip ${key}: expected a state of version ${readable.join(" or ")}, got ${head.version}`,
      );
    }
    const select = this.#database.prepare("SELECT cells FROM tiles WHERE chip = ? AND array = ? AND tile = ?");
    const arrays = Object.entries(head.state.arrays).map(([name, array]) => {
      const tiles = array.tiles.map((tile, index): TileState => {
        const stored = select.get(key, name, index) as { cells: Buffer } | undefined;
        const what = `chip ${key}, ${name}, tile ${index}`;
        if (stored === undefined) throw new ChipUnreadable(`${what}: expected its devices, got none`);
        const expected = Buffer.from(head.cells[name]?.[index] ?? "", "hex");
        return { ...tile, cells: unpack(stored.cells, expected, what) as TileState["cells"] };
      });
      return [name, { ...array, tiles }] as const;
    });
    return { state: { inference: row.inference, arrays: Object.fromEntries(arrays) }, knowledge: head.knowledge };
  }

  /**
   * Store a chip, and in the same transaction what was done to it.
   * @param written arrays and tiles whose devices changed; `all` for a chip that is new
   */
  save(
    key: string,
    model: string,
    { state, knowledge }: StoredChip<Knowledge>,
    written: "all" | readonly TileName[],
    steps: readonly UpkeepStep[] = [],
  ): void {
    const { arrays, inference } = state;
    const names = Object.entries(arrays).flatMap(([array, { tiles }]) => tiles.map((_, tile) => ({ array, tile })));
    const heads = Object.entries(arrays).map(([name, { tiles, ...array }]) => [
      name,
      { ...array, tiles: tiles.map(({ cells: _, ...tile }) => tile) },
    ]);
    this.#database.transaction(() => {
      if (written === "all") this.#database.prepare("DELETE FROM tiles WHERE chip = ?").run(key);
      const put = this.#database.prepare("INSERT OR REPLACE INTO tiles VALUES (?, ?, ?, ?, ?)");
      for (const { array, tile } of written === "all" ? names : written) {
        const { bytes, sha256 } = pack(arrays[array]!.tiles[tile]!.cells);
        put.run(key, array, tile, bytes, sha256);
      }
      const head = pack({
        ...{ version: versionOf(arrays), cells: this.#cellsOf(key), knowledge },
        state: { arrays: Object.fromEntries(heads) },
      } satisfies Head<Knowledge>);
      this.#database
        .prepare("INSERT OR REPLACE INTO chips VALUES (?, ?, ?, ?, ?)")
        .run(key, model, inference, head.bytes, head.sha256);
      this.#note(key, steps);
    })();
  }

  /** SHA-256 of the devices of each tile as stored. */
  #cellsOf(key: string): Record<string, string[]> {
    const rows = this.#database
      .prepare("SELECT array, tile, lower(hex(sha256)) AS sha256 FROM tiles WHERE chip = ? ORDER BY array, tile")
      .all(key) as { array: string; tile: number; sha256: string }[];
    const cells: Record<string, string[]> = {};
    for (const { array, tile, sha256 } of rows) {
      cells[array] ??= [];
      cells[array][tile] = sha256;
    }
    return cells;
  }

  /** Store how many inferences a chip has done, so that its noise goes on and does not begin again. */
  setInference(key: string, inference: number): void {
    this.#database.prepare("UPDATE chips SET inference = ? WHERE key = ?").run(inference, key);
  }

  /** Forget a chip that cannot be read; its steps stay. */
  remove(key: string): void {
    this.#database.transaction(() => {
      this.#database.prepare("DELETE FROM chips WHERE key = ?").run(key);
      this.#database.prepare("DELETE FROM tiles WHERE chip = ?").run(key);
    })();
  }

  /** Ask the agent that runs for something; `takeRequests` answers. */
  request(request: ChipRequest = { what: "care" }): void {
    const model = "model" in request ? request.model : null;
    this.#database.prepare("INSERT INTO requests (what, model) VALUES (?, ?)").run(request.what, model);
  }
  /** Number of the last step of any chip; 0: none. */
  lastStep(): number {
    return Number(this.#database.prepare("SELECT coalesce(max(id), 0) FROM steps").pluck().get());
  }
  /** Take what was asked for. */
  takeRequests(): readonly ChipRequest[] {
    return this.#database.prepare("DELETE FROM requests RETURNING what, model").all() as ChipRequest[];
  }

  /** Chips by key, with the name of their model. */
  chips(): readonly { readonly key: string; readonly model: string; readonly inference: number }[] {
    return this.#database.prepare("SELECT key, model, inference FROM chips ORDER BY model, key").all() as never;
  }

  /** The last steps of a chip, oldest first. */
  steps(key: string, limit: number): readonly UpkeepStep[] {
    const rows = this.#database
      .prepare(
        `SELECT at_seconds AS atSeconds, wall_ms AS wallMs, kind, why, reads, pulses, joules, seconds,
                risk_before AS riskBefore, risk_after AS riskAfter
         FROM steps WHERE chip = ? ORDER BY id DESC LIMIT ?`,
      )
      .all(key, limit) as (UpkeepStep & { riskBefore: number | null; riskAfter: number | null })[];
    return rows
      .reverse()
      .map((row) => ({ ...row, riskBefore: row.riskBefore ?? undefined, riskAfter: row.riskAfter ?? undefined }));
  }

  /** How many steps of each kind there were, with what they took together. */
  totals(key: string): readonly StepTotal[] {
    return this.#database
      .prepare(
        `SELECT kind, count(*) AS steps, sum(reads) AS reads, sum(pulses) AS pulses, sum(joules) AS joules
         FROM steps WHERE chip = ? GROUP BY kind ORDER BY kind`,
      )
      .all(key) as StepTotal[];
  }

  close(): void {
    if (!this.#database.pragma("query_only", { simple: true })) this.#database.pragma("wal_checkpoint(TRUNCATE)");
    this.#database.close();
  }

  #note(key: string, steps: readonly UpkeepStep[]): void {
    const insert = this.#database.prepare("INSERT INTO steps VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    for (const s of steps) {
      const { riskBefore = null, riskAfter = null } = s;
      insert.run(
        key,
        ...[s.atSeconds, s.wallMs, s.kind, s.why, s.reads, s.pulses, s.joules, s.seconds, riskBefore, riskAfter],
      );
    }
  }
}

/**
 * Open the memory of the chips. A file that is none of ours is put aside as `<file>.damaged-<n>`, told, and a new one
 * begun. @throws DatabaseError where no file can be made or a newer version made it
 */
export const openChipStore = <Knowledge>(
  file: string,
  onDamaged: (sentence: string) => void = () => {},
): ChipStore<Knowledge> => {
  try {
    return new ChipStore(openWithSchema(file, chipSchema));
  } catch (error) {
    if (!(error instanceof DatabaseError && error.isDamaged)) throw error;
    const aside = putAside(file);
    onDamaged(`${error.message}; it is kept as ${aside} and the chips are programmed anew`);
    return new ChipStore(openWithSchema(file, chipSchema));
  }
};

/** Open the memory of the chips beside an agent that may run. @throws DatabaseError where the file is none of ours */
export const attachChipStore = <Knowledge>(file: string): ChipStore<Knowledge> =>
  new ChipStore(openWithSchema(file, chipSchema));

const putAside = (file: string): string => {
  let n = 1;
  while (existsSync(`${file}.damaged-${n}`)) n++;
  const aside = `${file}.damaged-${n}`;
  for (const end of ["", "-wal", "-shm"]) if (existsSync(file + end)) renameSync(file + end, aside + end);
  return aside;
};
