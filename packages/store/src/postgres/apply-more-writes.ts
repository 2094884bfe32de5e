import { from, live } from "./apply-lists.ts"
import type { ApplyList } from "./apply-lists.ts"

/** Writes of observations and spaces. See `apply-writes.ts`. */
export const MORE_WRITES: readonly (readonly [ApplyList, string])[] = [
  [
    "w_observation_drop",
    `DELETE FROM observation o USING ${from("w_observation_drop")}
      WHERE o.tree = w.tree AND o.path = w.path AND o.serial = w.serial AND ${live}`,
  ],
  [
    "w_observation",
    `INSERT INTO observation (tree, path, serial, rev, version, url, name, filter, debounce, cursor, pending, due_at, timeout_at, config)
    SELECT w.tree, w.path, w.serial, nextval('revs'), w.version, w.url, w.name, w.filter, w.debounce, w.cursor, w.pending, w.due_at, w.timeout_at,
      w.config
    FROM ${from("w_observation")} WHERE ${live}
    ON CONFLICT (tree, path, serial) DO UPDATE SET rev = excluded.rev, version = excluded.version, filter = excluded.filter,
      debounce = excluded.debounce, cursor = excluded.cursor, pending = excluded.pending, due_at = excluded.due_at,
      timeout_at = excluded.timeout_at, config = excluded.config`,
  ],
  [
    "w_observation_mark",
    `UPDATE observation o SET rev = nextval('revs'), cursor = w.cursor, pending = w.pending, due_at = w.due_at
    FROM ${from("w_observation_mark")}
    WHERE o.tree = w.tree AND o.path = w.path AND o.serial = w.serial AND ${live}`,
  ],
  [
    "w_space_drop",
    `DELETE FROM space x USING ${from("w_space_drop")} WHERE x.tree = w.tree AND x.stream = w.stream AND ${live}`,
  ],
  [
    "w_space",
    `INSERT INTO space (tree, stream, path, version, definition, created_at, rows, forget)
    SELECT w.tree, w.stream, w.path, w.version, w.definition, w.created_at, w.rows, w.forget
    FROM ${from("w_space")} WHERE ${live}
    ON CONFLICT (tree, stream) DO UPDATE SET version = excluded.version, definition = excluded.definition, rows = excluded.rows,
      forget = excluded.forget`,
  ],
  [
    "w_space_row_drop",
    `DELETE FROM space_row r USING ${from("w_space_row_drop")}
    WHERE r.tree = w.tree AND r.stream = w.stream AND r.collection = w.collection AND r.key = w.key AND ${live}`,
  ],
  [
    "w_space_row",
    `INSERT INTO space_row (tree, stream, collection, key, version, made, done, token, holder, claim, free_at, owner, value)
    SELECT w.tree, w.stream, w.collection, w.key, w.version, w.made, w.done, w.token, w.holder, w.claim, w.free_at, w.owner, w.value
    FROM ${from("w_space_row")} WHERE ${live}
    ON CONFLICT (tree, stream, collection, key) DO UPDATE SET version = excluded.version, made = excluded.made, done = excluded.done,
      token = excluded.token, holder = excluded.holder, claim = excluded.claim, free_at = excluded.free_at, owner = excluded.owner,
      value = excluded.value`,
  ],
  [
    "w_space_claim",
    `UPDATE space_row r SET done = w.done, token = w.token, holder = w.holder, claim = w.claim, free_at = w.free_at
    FROM ${from("w_space_claim")} WHERE r.tree = w.tree AND r.stream = w.stream AND r.collection = w.collection AND r.key = w.key AND ${live}`,
  ],
  [
    "w_queue_drop",
    `DELETE FROM space_queue u USING ${from("w_queue_drop")} WHERE u.tree = w.tree AND u.stream = w.stream AND u.collection = w.collection AND u.queue = w.queue AND u.free_at = w.free_at
      AND u.made = w.made AND ${live}`,
  ],
  [
    "w_queue",
    `INSERT INTO space_queue (tree, stream, collection, queue, free_at, made, key)
    SELECT w.tree, w.stream, w.collection, w.queue, w.free_at, w.made, w.key
    FROM ${from("w_queue")} WHERE ${live}`,
  ],
  [
    "w_index_drop",
    `DELETE FROM space_index u USING ${from("w_index_drop")}
    WHERE u.tree = w.tree AND u.stream = w.stream AND u.collection = w.collection AND u.queue = w.queue AND u.key = w.key AND ${live}`,
  ],
  [
    "w_index",
    `INSERT INTO space_index (tree, stream, collection, queue, key) SELECT w.tree, w.stream, w.collection, w.queue, w.key
    FROM ${from("w_index")} WHERE ${live}`,
  ],
]
