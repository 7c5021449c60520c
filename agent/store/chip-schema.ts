/** The schema of the chips' memory: `Schema` of `openWithSchema`. Never change a step that was released. */
export const chipSchema = {
  applicationId: 0x6f68_6d63, // "ohmc"
  steps: [
    `
  CREATE TABLE clock (one INTEGER PRIMARY KEY CHECK (one = 1), chip_seconds REAL NOT NULL, wall_ms REAL NOT NULL) STRICT;

  -- The part of a chip that each calibration changes: V8 serialisation, with its SHA-256.
  CREATE TABLE chips (
    key        TEXT PRIMARY KEY,
    model      TEXT NOT NULL,
    inference  INTEGER NOT NULL,
    head       BLOB NOT NULL,
    sha256     BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- The devices of a tile, which only writes change.
  CREATE TABLE tiles (
    chip    TEXT NOT NULL,
    array   TEXT NOT NULL,
    tile    INTEGER NOT NULL,
    cells   BLOB NOT NULL,
    sha256  BLOB NOT NULL,
    PRIMARY KEY (chip, array, tile)
  ) STRICT;

  CREATE TABLE steps (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    chip         TEXT NOT NULL,
    at_seconds   REAL NOT NULL,
    wall_ms      REAL NOT NULL,
    kind         TEXT NOT NULL,
    why          TEXT NOT NULL,
    reads        INTEGER NOT NULL,
    pulses       INTEGER NOT NULL,
    joules       REAL NOT NULL,
    seconds      REAL NOT NULL,
    risk_before  REAL,
    risk_after   REAL
  ) STRICT;
  CREATE INDEX steps_by_chip ON steps (chip, id);

  -- Calibrations asked for from outside.
  CREATE TABLE requests (id INTEGER PRIMARY KEY) STRICT;
  `,
    `
  -- What is asked for, and of which model's chip; without one of all.
  ALTER TABLE requests ADD COLUMN what TEXT NOT NULL DEFAULT 'care';
  ALTER TABLE requests ADD COLUMN model TEXT;
  `,
  ],
};
