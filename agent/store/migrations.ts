/**
 * The schema of the database, as steps: step n takes `user_version` n to n + 1. Never change a step that was released.
 * Times are event times in ns since 1970; no column holds a wall-clock time, so that a replay gives the same rows.
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
];
