/**
 * The tables, and how they came to be. Migrations only go forward: the number of those applied is the file's `user_version`.
 *
 * - `chunk` is the log: append batches in the order they were committed, so that a commit's bytes of all streams land on the
 *   same pages. `chunk_tail` finds a stream's batches by the position after them; its last entry is the stream's tail, so an
 *   append touches no other row of the stream.
 * - `row` is clustered by entity, and within it by `section`, of which what its turns left is one, by `turn`: what a wake reads is a few
 *   neighbouring pages, and what a commit puts is one or two. A long value is in `long_value` and the row has its number: within the row it would
 *   fill pages of its own, to be read by whoever looks for a row beside it.
 * - `entity` is listed by whole seconds of activity; an entity at work moves its index entry once a second at most. Indexes of
 *   what few entities have (a due time, a status other than idle, a parent) hold those alone.
 * - A batch has no time of its own: an `era` says up to which `chunk` the log had come at a time.
 * - `snapshot` holds what a stream amounts to: at its horizon, and newer. `trimmed` is what lies below a horizon and is to be dropped.
 * - A fork has the batches from `fork_at` on; those before it are its source's, `forked_from`, which is kept as long as it has `forks`.
 * - `subscribed` has a subscription's cursors. Whether one is behind its stream's tail is kept with it, by every commit that moves either.
 * - `work` is what waits for a worker or a person: found by queue and name, in the order of positions.
 * - `observation` has who is told of what in which stream, and up to where. An append looks its path up in `observation_path`.
 * - `space` is what a stream's rows in `space_row` are; `space_queue` has those that may be claimed, in the order in which they are,
 *   and `space_index` all that have certain values, by key.
 * - A deleted stream is only forgotten: its batches are in `garbage` until a sweep drops them.
 */

/** "Rous" in ASCII: marks the file as ours. */
export const APPLICATION_ID = 0x526f7573

const FIRST = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
CREATE TABLE stream (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  path TEXT NOT NULL UNIQUE,
  content_type TEXT NOT NULL,
  closed INTEGER NOT NULL,
  closed_by TEXT,
  stream_seq TEXT,
  created_at INTEGER NOT NULL,
  ttl_seconds INTEGER,
  expires_at INTEGER,
  dies_at INTEGER,
  horizon INTEGER NOT NULL DEFAULT 0,
  forked_from INTEGER,
  fork_base INTEGER,
  fork_sub INTEGER,
  fork_at INTEGER,
  forks INTEGER NOT NULL,
  deleted INTEGER NOT NULL
) STRICT;
CREATE INDEX stream_fork ON stream (forked_from, fork_at) WHERE forked_from IS NOT NULL;
CREATE INDEX stream_dying ON stream (dies_at) WHERE dies_at IS NOT NULL;
CREATE TABLE chunk (id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, tail INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX chunk_tail ON chunk (stream, tail);
CREATE TABLE producer (
  stream INTEGER NOT NULL, id TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (stream, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE garbage (stream INTEGER PRIMARY KEY) STRICT;
CREATE TABLE snapshot (
  stream INTEGER NOT NULL, position INTEGER NOT NULL, data BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX snapshot_position ON snapshot (stream, position);
CREATE TABLE trimmed (stream INTEGER PRIMARY KEY, until INTEGER NOT NULL) STRICT;
CREATE TABLE pin (
  stream INTEGER NOT NULL, holder TEXT NOT NULL, position INTEGER NOT NULL,
  PRIMARY KEY (stream, holder)
) STRICT, WITHOUT ROWID;
CREATE TABLE era (at INTEGER PRIMARY KEY, chunk INTEGER NOT NULL) STRICT;
CREATE TABLE entity (
  id INTEGER PRIMARY KEY,
  url TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  version INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  parent TEXT,
  created_at INTEGER NOT NULL,
  active_at INTEGER NOT NULL,
  active_second INTEGER NOT NULL,
  due_at INTEGER,
  tags TEXT NOT NULL,
  args TEXT NOT NULL,
  control TEXT NOT NULL
) STRICT;
CREATE INDEX entity_active ON entity (active_second DESC, url);
CREATE INDEX entity_status ON entity (status, active_second DESC, url) WHERE status <> 'idle';
CREATE INDEX entity_parent ON entity (parent) WHERE parent IS NOT NULL;
CREATE INDEX entity_due ON entity (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE tag (
  name TEXT NOT NULL, value TEXT NOT NULL, entity INTEGER NOT NULL,
  PRIMARY KEY (name, value, entity)
) STRICT, WITHOUT ROWID;
CREATE TABLE "row" (
  entity INTEGER NOT NULL, section TEXT NOT NULL, turn INTEGER NOT NULL,
  key TEXT NOT NULL, collection TEXT NOT NULL, value ANY NOT NULL,
  PRIMARY KEY (entity, section, turn, key, collection)
) STRICT, WITHOUT ROWID;
CREATE TABLE long_value (id INTEGER PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TRIGGER row_updated AFTER UPDATE OF value ON "row" WHEN typeof(old.value) = 'integer'
  BEGIN DELETE FROM long_value WHERE id = old.value; END;
CREATE TRIGGER row_deleted AFTER DELETE ON "row" WHEN typeof(old.value) = 'integer'
  BEGIN DELETE FROM long_value WHERE id = old.value; END;
CREATE TABLE timer (
  id TEXT PRIMARY KEY, due_at INTEGER NOT NULL, url TEXT NOT NULL, payload TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX timer_due ON timer (due_at);
CREATE INDEX timer_url ON timer (url);
CREATE TABLE work (
  id TEXT PRIMARY KEY, queue TEXT NOT NULL, name TEXT NOT NULL, url TEXT NOT NULL, open INTEGER NOT NULL,
  position INTEGER NOT NULL, version INTEGER NOT NULL, payload TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX work_open ON work (queue, name, open, position, id);
CREATE INDEX work_queue ON work (queue, position, id);
CREATE INDEX work_url ON work (url);
CREATE TABLE receipt (
  key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, response TEXT NOT NULL, expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX receipt_expiry ON receipt (expires_at);
CREATE TABLE subscription (
  serial INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  version INTEGER NOT NULL,
  pattern TEXT,
  wake_stream TEXT,
  idle INTEGER NOT NULL,
  due_at INTEGER,
  pending INTEGER NOT NULL,
  links INTEGER NOT NULL,
  named INTEGER NOT NULL,
  config TEXT NOT NULL,
  state TEXT NOT NULL
) STRICT;
CREATE INDEX subscription_due ON subscription (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE subscribed (
  subscription INTEGER NOT NULL, path TEXT NOT NULL, acked INTEGER NOT NULL, pending INTEGER NOT NULL, explicit INTEGER NOT NULL,
  PRIMARY KEY (subscription, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX subscribed_path ON subscribed (path);
CREATE INDEX subscribed_pending ON subscribed (subscription, pending DESC, path);
CREATE TABLE observation (
  serial INTEGER PRIMARY KEY AUTOINCREMENT,
  url TEXT NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  path TEXT NOT NULL,
  filter TEXT NOT NULL,
  debounce INTEGER NOT NULL,
  cursor INTEGER NOT NULL,
  pending INTEGER NOT NULL,
  due_at INTEGER,
  timeout_at INTEGER,
  config TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX observation_name ON observation (url, name);
CREATE INDEX observation_path ON observation (path);
CREATE INDEX observation_due ON observation (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE space (
  stream INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, definition TEXT NOT NULL,
  created_at INTEGER NOT NULL, rows INTEGER NOT NULL, forget INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX space_forget ON space (forget) WHERE forget > 0;
CREATE TABLE space_row (
  stream INTEGER NOT NULL, collection TEXT NOT NULL, key TEXT NOT NULL,
  version INTEGER NOT NULL, made INTEGER NOT NULL, done INTEGER NOT NULL,
  token INTEGER NOT NULL, holder TEXT, claim TEXT, free_at INTEGER NOT NULL, owner TEXT,
  value TEXT NOT NULL,
  PRIMARY KEY (stream, collection, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX space_held ON space_row (stream, holder, claim) WHERE holder IS NOT NULL;
CREATE INDEX space_owner ON space_row (owner) WHERE owner IS NOT NULL;
CREATE INDEX space_expiry ON space_row (free_at) WHERE free_at > 0;
CREATE TABLE space_queue (
  stream INTEGER NOT NULL, collection TEXT NOT NULL, queue TEXT NOT NULL, free_at INTEGER NOT NULL, made INTEGER NOT NULL,
  key TEXT NOT NULL,
  PRIMARY KEY (stream, collection, queue, free_at, made)
) STRICT, WITHOUT ROWID;
CREATE TABLE space_index (
  stream INTEGER NOT NULL, collection TEXT NOT NULL, queue TEXT NOT NULL, key TEXT NOT NULL,
  PRIMARY KEY (stream, collection, queue, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE secret (name TEXT PRIMARY KEY, value TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`

/** Dead letters are found without a look at every entity; an entity that was due is found by what it is. */
const SECOND = `
DROP INDEX entity_due;
CREATE INDEX entity_due ON entity (due_at, id, status, type) WHERE due_at IS NOT NULL;
CREATE INDEX entity_dead ON entity (active_second DESC, url) WHERE control ->> '$.dead' > 0;
`

/** In order. Append only: a file in the field has some prefix of them. */
export const MIGRATIONS: readonly string[] = [FIRST, SECOND]
