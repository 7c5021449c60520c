/**
 * The schema of the database, as steps: step n takes `user_version` n to n + 1. Never change a step that was released.
 * Times in `_ns` are event times since 1970: `anomalies` and `evidence` hold no other, so that a replay gives the same
 * rows. Times in `_ms` are of this machine's clock: when a person acted, when a message was written.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE anomalies (
    id          TEXT PRIMARY KEY,
    stream      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    severity    TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('active', 'ended', 'interrupted')),
    from_ns     INTEGER NOT NULL,
    to_ns       INTEGER NOT NULL,
    peak_score  REAL NOT NULL,
    count       INTEGER NOT NULL,
    model       TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX anomalies_by_time ON anomalies (from_ns);
  CREATE INDEX anomalies_by_stream ON anomalies (stream, kind, from_ns);

  -- The piece of signal behind an anomaly: Float32 little-endian [time × channels].
  CREATE TABLE evidence (
    anomaly_id      TEXT PRIMARY KEY REFERENCES anomalies (id) ON DELETE CASCADE,
    start_ns        INTEGER NOT NULL,
    sample_rate_hz  REAL NOT NULL,
    channels        TEXT NOT NULL,
    samples         BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- What is still to be published, in order.
  CREATE TABLE outbox (
    sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
    anomaly_id  TEXT NOT NULL,
    type        TEXT NOT NULL CHECK (type IN ('new', 'update', 'end')),
    payload     TEXT NOT NULL
  ) STRICT;
  `,
  `
  -- State of the alarm by ISA-18.2, and whether the anomaly was ever told to the outside.
  ALTER TABLE anomalies ADD COLUMN alarm TEXT NOT NULL DEFAULT 'normal' CHECK (alarm IN ('normal',
    'active-unacknowledged', 'active-acknowledged', 'returned-unacknowledged', 'shelved', 'suppressed'));
  ALTER TABLE anomalies ADD COLUMN is_told INTEGER NOT NULL DEFAULT 1;
  UPDATE anomalies SET alarm = 'active-unacknowledged' WHERE state = 'active';

  -- Who saw an anomaly, and what it was in truth, where that was said.
  CREATE TABLE acknowledgements (
    anomaly_id  TEXT PRIMARY KEY REFERENCES anomalies (id) ON DELETE CASCADE,
    at_ms       INTEGER NOT NULL,
    by          TEXT NOT NULL,
    label       TEXT
  ) STRICT, WITHOUT ROWID;

  -- Alarms that are kept silent for a while.
  CREATE TABLE shelves (
    stream    TEXT NOT NULL,
    kind      TEXT NOT NULL,
    at_ms     INTEGER NOT NULL,
    until_ms  INTEGER NOT NULL,
    by        TEXT NOT NULL,
    PRIMARY KEY (stream, kind)
  ) STRICT, WITHOUT ROWID;

  -- What is still to be published, in order; is_latest: of the newest anomaly of its alarm.
  CREATE TABLE outbox_2 (
    sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
    anomaly_id  TEXT NOT NULL,
    type        TEXT NOT NULL,
    payload     TEXT NOT NULL,
    at_ms       INTEGER NOT NULL,
    is_latest   INTEGER NOT NULL
  ) STRICT;
  INSERT INTO outbox_2 SELECT sequence, anomaly_id, type, payload, 0, 1 FROM outbox ORDER BY sequence;
  DROP TABLE outbox;
  ALTER TABLE outbox_2 RENAME TO outbox;

  -- Statistics that could not be published when they were made: a ring, the oldest give way.
  CREATE TABLE telemetry (
    sequence  INTEGER PRIMARY KEY,
    at_ms     INTEGER NOT NULL,
    topic     TEXT NOT NULL,
    payload   TEXT NOT NULL
  ) STRICT;
  `,
  `
  -- What people said of anomalies, by when they did.
  CREATE INDEX labels_by_time ON acknowledgements (at_ms, anomaly_id) WHERE label IS NOT NULL;
  `,
];
