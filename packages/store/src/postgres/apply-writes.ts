import { from, live } from "./apply-lists.ts"
import type { ApplyList } from "./apply-lists.ts"
import { MORE_WRITES } from "./apply-more-writes.ts"

/** Each is done only when the group has such writes. In this order. */
export const WRITES: readonly (readonly [ApplyList, string])[] = [
  ["w_place", `INSERT INTO place (url, tree) SELECT w.url, w.tree FROM ${from("w_place")} WHERE ${live}`],
  [
    "w_stream_drop",
    `WITH dropped AS (DELETE FROM stream s USING ${from("w_stream_drop")}
      WHERE s.tree = w.tree AND s.path = w.path AND s.id = w.id AND ${live} RETURNING s.tree, s.id)
    INSERT INTO garbage (tree, stream) SELECT tree, id FROM dropped ON CONFLICT DO NOTHING`,
  ],
  [
    "w_stream_new",
    `INSERT INTO stream (tree, path, id, lock, rev, content_type, closed, closed_by, stream_seq, created_at, ttl_seconds, expires_at, dies_at,
      horizon, source, source_tree, forked_from, fork_base, fork_sub, fork_at, forks, deleted)
    SELECT w.tree, w.path, w.id, w.lock, w.rev, w.content_type, w.closed, w.closed_by, w.stream_seq, w.created_at, w.ttl_seconds, w.expires_at,
      w.dies_at, w.horizon, w.source, w.source_tree, w.forked_from, w.fork_base, w.fork_sub, w.fork_at, w.forks, w.deleted
    FROM ${from("w_stream_new")} WHERE ${live}`,
  ],
  [
    "w_stream",
    `UPDATE stream s SET rev = w.rev, closed = w.closed, closed_by = w.closed_by, stream_seq = w.stream_seq, dies_at = w.dies_at, horizon = w.horizon,
      forks = w.forks, deleted = w.deleted
    FROM ${from("w_stream")} WHERE s.tree = w.tree AND s.path = w.path AND s.id = w.id AND ${live}`,
  ],
  [
    "w_chunk",
    `INSERT INTO chunk (tree, stream, tail, era, data)
    SELECT w.tree, w.stream, w.tail, (SELECT max(n) FROM era WHERE tree = 0), w.data
    FROM ${from("w_chunk")} WHERE ${live}`,
  ],
  [
    "w_producer",
    `INSERT INTO producer (tree, stream, id, epoch, seq) SELECT w.tree, w.stream, w.id, w.epoch, w.seq
    FROM ${from("w_producer")} WHERE ${live}
    ON CONFLICT (tree, stream, id) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq`,
  ],
  [
    "w_entity_drop",
    `WITH dropped AS (SELECT w.tree, w.url, w.id FROM ${from("w_entity_drop")} WHERE ${live}),
      rows AS (DELETE FROM "row" r USING dropped d WHERE r.tree = d.tree AND r.entity = d.id),
      tags AS (DELETE FROM tag t USING dropped d WHERE t.tree = d.tree AND t.entity = d.id)
    DELETE FROM entity e USING dropped d WHERE e.tree = d.tree AND e.url = d.url AND e.id = d.id`,
  ],
  [
    "w_timer_gone",
    `DELETE FROM timer t USING ${from("w_timer_gone")} WHERE t.tree = w.tree AND t.url = w.url AND ${live}`,
  ],
  [
    "w_work_gone",
    `DELETE FROM work t USING ${from("w_work_gone")} WHERE t.tree = w.tree AND t.url = w.url AND ${live}`,
  ],
  [
    "w_entity",
    `INSERT INTO entity (tree, url, id, type, name, status, version, epoch, seq, parent, created_at, active_at, active_second, due_at, dead, tags, args, control)
    SELECT w.tree, w.url, w.id, w.type, w.name, w.status, w.version, w.epoch, w.seq, w.parent, w.created_at, w.active_at, w.active_second, w.due_at,
      w.dead, w.tags, w.args, w.control
    FROM ${from("w_entity")} WHERE ${live}
    ON CONFLICT (tree, url) DO UPDATE SET type = excluded.type, name = excluded.name, status = excluded.status, version = excluded.version,
      epoch = excluded.epoch, seq = excluded.seq, parent = excluded.parent, created_at = excluded.created_at, active_at = excluded.active_at,
      active_second = excluded.active_second, due_at = excluded.due_at, dead = excluded.dead, tags = excluded.tags, args = excluded.args,
      control = excluded.control`,
  ],
  [
    "w_entity_on",
    `UPDATE entity e SET status = w.status, version = w.version, epoch = w.epoch, seq = w.seq, active_at = w.active_at,
      active_second = w.active_second, due_at = w.due_at, dead = w.dead, control = w.control
    FROM ${from("w_entity_on")} WHERE e.tree = w.tree AND e.url = w.url AND e.id = w.id AND ${live}`,
  ],
  [
    "w_seq",
    `UPDATE entity e SET seq = w.seq FROM ${from("w_seq")}
    WHERE e.tree = w.tree AND e.url = w.url AND e.id = w.id AND ${live}`,
  ],
  [
    "w_tag",
    `WITH changed AS (SELECT w.tree, w.entity, w.tags::json AS tags FROM ${from("w_tag")} WHERE ${live}),
      gone AS (DELETE FROM tag t USING changed w WHERE t.tree = w.tree AND t.entity = w.entity AND (w.tags ->> t.name) IS NULL)
    INSERT INTO tag (tree, entity, name, value) SELECT w.tree, w.entity, t.key, t.value FROM changed w, json_each_text(w.tags) t
    ON CONFLICT (tree, entity, name) DO UPDATE SET value = excluded.value`,
  ],
  [
    "w_row_drop",
    `DELETE FROM "row" r USING ${from("w_row_drop")}
    WHERE r.tree = w.tree AND r.entity = w.entity AND r.collection = w.collection AND r.key = w.key AND ${live}`,
  ],
  [
    "w_row",
    `INSERT INTO "row" (tree, entity, collection, key, value) SELECT w.tree, w.entity, w.collection, w.key, w.value
    FROM ${from("w_row")} WHERE ${live}
    ON CONFLICT (tree, entity, collection, key) DO UPDATE SET value = excluded.value`,
  ],
  [
    "w_timer_drop",
    `DELETE FROM timer t USING ${from("w_timer_drop")} WHERE t.tree = w.tree AND t.id = w.id AND ${live}`,
  ],
  [
    "w_timer",
    `INSERT INTO timer (tree, id, due_at, url, payload) SELECT w.tree, w.id, w.due_at, w.url, w.payload
    FROM ${from("w_timer")} WHERE ${live}
    ON CONFLICT (tree, id) DO UPDATE SET due_at = excluded.due_at, url = excluded.url, payload = excluded.payload`,
  ],
  ["w_work_drop", `DELETE FROM work t USING ${from("w_work_drop")} WHERE t.tree = w.tree AND t.id = w.id AND ${live}`],
  [
    "w_work",
    `INSERT INTO work (tree, id, queue, name, url, open, position, version, payload)
    SELECT w.tree, w.id, w.queue, w.name, w.url, w.open, w.position, w.version, w.payload
    FROM ${from("w_work")} WHERE ${live}
    ON CONFLICT (tree, id) DO UPDATE SET queue = excluded.queue, name = excluded.name, url = excluded.url, open = excluded.open,
      position = excluded.position, version = excluded.version, payload = excluded.payload`,
  ],
  [
    "w_receipt",
    `INSERT INTO receipt (tree, key, fingerprint, response, expires_at) SELECT w.tree, w.key, w.fingerprint, w.response, w.expires_at
    FROM ${from("w_receipt")} WHERE ${live}
    ON CONFLICT (tree, key) DO UPDATE SET fingerprint = excluded.fingerprint, response = excluded.response, expires_at = excluded.expires_at`,
  ],
  ...MORE_WRITES,
]
