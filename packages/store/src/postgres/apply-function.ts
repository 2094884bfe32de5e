/**
 * Does a group of commits: compares what they were planned on with what is, and writes what the plans of those say that still hold.
 *
 * 1. Homes are locked in the order of their numbers, all at once, before anything is looked at: commits that touch one home follow one another, and
 *    no two wait for each other.
 * 2. What is looked at behind the locks is what the last commit left: each statement sees all that was committed before it began.
 * 3. A part of the group, `c`, that was planned on what is no longer so, is left out whole, and named in the answer.
 * 4. The group leaves its name. A name that is taken, by the group itself or by one who gave it up, undoes all of it.
 */
const PARAMETERS = [
  "k_stream",
  "k_entity",
  "k_place",
  "k_timer",
  "k_receipt",
  "k_work",
  "k_subscription",
  "k_pin",
  "w_place",
  "w_stream_drop",
  "w_stream_new",
  "w_stream",
  "w_chunk",
  "w_producer",
  "w_entity_drop",
  "w_timer_gone",
  "w_work_gone",
  "w_entity",
  "w_seq",
  "w_tag",
  "w_row_drop",
  "w_row",
  "w_timer_drop",
  "w_timer",
  "w_work_drop",
  "w_work",
  "w_receipt",
  "w_retention",
  "w_subscription",
] as const

export type ApplyParameter = (typeof PARAMETERS)[number]

export const APPLY_PARAMETERS: readonly ApplyParameter[] = PARAMETERS

const from = (name: ApplyParameter, columns: string): string =>
  `json_to_recordset(${name}::json) AS w(c int4, ${columns})`
const live = "w.c <> ALL (stale)"

const CHECKS = `
  SELECT coalesce(array_agg(DISTINCT c), '{}') INTO stale FROM (
    SELECT w.c FROM ${from("k_stream", "tree int8, path text, id int8, rev int8, tail int8")}
      LEFT JOIN stream s ON s.tree = w.tree AND s.path = w.path
      WHERE coalesce(s.id, 0) <> w.id OR (w.id <> 0 AND (s.rev <> w.rev OR w.tail <> coalesce(
        (SELECT tail FROM chunk c WHERE c.tree = w.tree AND c.stream = w.id ORDER BY tail DESC LIMIT 1), s.fork_at, 0)))
    UNION ALL SELECT w.c FROM ${from("k_entity", "tree int8, url text, id int8, version int8, seq int8")}
      LEFT JOIN entity e ON e.tree = w.tree AND e.url = w.url
      WHERE coalesce(e.id, 0) <> w.id OR (w.id <> 0 AND (e.version <> w.version OR e.seq <> w.seq))
    UNION ALL SELECT w.c FROM ${from("k_place", "url text, tree int8")}
      LEFT JOIN place p ON p.url = w.url WHERE p.tree IS DISTINCT FROM w.tree
    UNION ALL SELECT w.c FROM ${from("k_timer", "id text, tree int8")}
      WHERE CASE WHEN w.tree IS NULL THEN EXISTS (SELECT FROM timer t WHERE t.id = w.id)
        ELSE NOT EXISTS (SELECT FROM timer t WHERE t.tree = w.tree AND t.id = w.id) END
    UNION ALL SELECT w.c FROM ${from("k_receipt", "tree int8, key text, there boolean")}
      WHERE w.there <> EXISTS (SELECT FROM receipt r WHERE r.tree = w.tree AND r.key = w.key)
    UNION ALL SELECT w.c FROM ${from("k_work", "id text, tree int8, version int8")}
      WHERE CASE WHEN w.tree IS NULL THEN EXISTS (SELECT FROM work t WHERE t.id = w.id)
        ELSE NOT EXISTS (SELECT FROM work t WHERE t.tree = w.tree AND t.id = w.id AND t.version = w.version) END
    UNION ALL SELECT w.c FROM ${from("k_subscription", "tree int8, id text, serial int8, rev int8")}
      LEFT JOIN subscription s ON s.tree = w.tree AND s.id = w.id
      WHERE coalesce(s.serial, 0) <> w.serial OR coalesce(s.rev, 0) <> w.rev
    UNION ALL SELECT w.c FROM ${from("k_pin", "tree int8, stream int8, path text, position int8")}
      WHERE pinned_1(w.tree, w.stream, w.path) IS DISTINCT FROM w.position
  ) k;`

/** Each is done only when the group has such writes. In this order. */
const WRITES: readonly (readonly [ApplyParameter, string])[] = [
  [
    "w_place",
    `INSERT INTO place (url, tree) SELECT w.url, w.tree FROM ${from("w_place", "url text, tree int8")} WHERE ${live}`,
  ],
  [
    "w_stream_drop",
    `WITH dropped AS (DELETE FROM stream s USING ${from("w_stream_drop", "tree int8, path text, id int8")}
      WHERE s.tree = w.tree AND s.path = w.path AND s.id = w.id AND ${live} RETURNING s.tree, s.id)
    INSERT INTO garbage (tree, stream) SELECT tree, id FROM dropped ON CONFLICT DO NOTHING`,
  ],
  [
    "w_stream_new",
    `INSERT INTO stream (tree, path, id, lock, rev, content_type, closed, closed_by, stream_seq, created_at, ttl_seconds, expires_at, dies_at,
      horizon, source, source_tree, forked_from, fork_base, fork_sub, fork_at, forks, deleted)
    SELECT w.tree, w.path, w.id, w.lock, w.rev, w.content_type, w.closed, w.closed_by, w.stream_seq, w.created_at, w.ttl_seconds, w.expires_at,
      w.dies_at, w.horizon, w.source, w.source_tree, w.forked_from, w.fork_base, w.fork_sub, w.fork_at, w.forks, w.deleted
    FROM ${from(
      "w_stream_new",
      `tree int8, path text, id int8, lock int8, rev int8, content_type text, closed boolean, closed_by text, stream_seq text, created_at int8,
      ttl_seconds int8, expires_at int8, dies_at int8, horizon int8, source text, source_tree int8, forked_from int8, fork_base int8, fork_sub int8,
      fork_at int8, forks int4, deleted boolean`,
    )} WHERE ${live}`,
  ],
  [
    "w_stream",
    `UPDATE stream s SET rev = w.rev, closed = w.closed, closed_by = w.closed_by, stream_seq = w.stream_seq, dies_at = w.dies_at, horizon = w.horizon,
      forks = w.forks, deleted = w.deleted
    FROM ${from(
      "w_stream",
      `tree int8, path text, id int8, rev int8, closed boolean, closed_by text, stream_seq text, dies_at int8, horizon int8, forks int4, deleted boolean`,
    )} WHERE s.tree = w.tree AND s.path = w.path AND s.id = w.id AND ${live}`,
  ],
  [
    "w_chunk",
    `INSERT INTO chunk (tree, stream, tail, era, data)
    SELECT w.tree, w.stream, w.tail, (SELECT max(n) FROM era WHERE tree = 0), w.data
    FROM ${from("w_chunk", "tree int8, stream int8, tail int8, data bytea")} WHERE ${live}`,
  ],
  [
    "w_producer",
    `INSERT INTO producer (tree, stream, id, epoch, seq) SELECT w.tree, w.stream, w.id, w.epoch, w.seq
    FROM ${from("w_producer", "tree int8, stream int8, id text, epoch int8, seq int8")} WHERE ${live}
    ON CONFLICT (tree, stream, id) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq`,
  ],
  [
    "w_entity_drop",
    `WITH dropped AS (SELECT w.tree, w.url, w.id FROM ${from("w_entity_drop", "tree int8, url text, id int8")} WHERE ${live}),
      rows AS (DELETE FROM "row" r USING dropped d WHERE r.tree = d.tree AND r.entity = d.id),
      tags AS (DELETE FROM tag t USING dropped d WHERE t.tree = d.tree AND t.entity = d.id)
    DELETE FROM entity e USING dropped d WHERE e.tree = d.tree AND e.url = d.url AND e.id = d.id`,
  ],
  [
    "w_timer_gone",
    `DELETE FROM timer t USING ${from("w_timer_gone", "tree int8, url text")} WHERE t.tree = w.tree AND t.url = w.url AND ${live}`,
  ],
  [
    "w_work_gone",
    `DELETE FROM work t USING ${from("w_work_gone", "tree int8, url text")} WHERE t.tree = w.tree AND t.url = w.url AND ${live}`,
  ],
  [
    "w_entity",
    `INSERT INTO entity (tree, url, id, type, name, status, version, epoch, seq, parent, created_at, active_at, active_second, due_at, dead, tags, args, control)
    SELECT w.tree, w.url, w.id, w.type, w.name, w.status, w.version, w.epoch, w.seq, w.parent, w.created_at, w.active_at, w.active_second, w.due_at,
      w.dead, w.tags, w.args, w.control
    FROM ${from(
      "w_entity",
      `tree int8, url text, id int8, type text, name text, status text, version int8, epoch int8, seq int8, parent text, created_at int8,
      active_at int8, active_second int8, due_at int8, dead boolean, tags text, args text, control text`,
    )} WHERE ${live}
    ON CONFLICT (tree, url) DO UPDATE SET type = excluded.type, name = excluded.name, status = excluded.status, version = excluded.version,
      epoch = excluded.epoch, seq = excluded.seq, parent = excluded.parent, created_at = excluded.created_at, active_at = excluded.active_at,
      active_second = excluded.active_second, due_at = excluded.due_at, dead = excluded.dead, tags = excluded.tags, args = excluded.args,
      control = excluded.control`,
  ],
  [
    "w_seq",
    `UPDATE entity e SET seq = w.seq FROM ${from("w_seq", "tree int8, url text, id int8, seq int8")}
    WHERE e.tree = w.tree AND e.url = w.url AND e.id = w.id AND ${live}`,
  ],
  [
    "w_tag",
    `WITH changed AS (SELECT w.tree, w.entity, w.tags::json AS tags FROM ${from("w_tag", "tree int8, entity int8, tags text")} WHERE ${live}),
      gone AS (DELETE FROM tag t USING changed w WHERE t.tree = w.tree AND t.entity = w.entity AND (w.tags ->> t.name) IS NULL)
    INSERT INTO tag (tree, entity, name, value) SELECT w.tree, w.entity, t.key, t.value FROM changed w, json_each_text(w.tags) t
    ON CONFLICT (tree, entity, name) DO UPDATE SET value = excluded.value`,
  ],
  [
    "w_row_drop",
    `DELETE FROM "row" r USING ${from("w_row_drop", "tree int8, entity int8, collection text, key text")}
    WHERE r.tree = w.tree AND r.entity = w.entity AND r.collection = w.collection AND r.key = w.key AND ${live}`,
  ],
  [
    "w_row",
    `INSERT INTO "row" (tree, entity, collection, key, value) SELECT w.tree, w.entity, w.collection, w.key, w.value
    FROM ${from("w_row", "tree int8, entity int8, collection text, key text, value text")} WHERE ${live}
    ON CONFLICT (tree, entity, collection, key) DO UPDATE SET value = excluded.value`,
  ],
  [
    "w_timer_drop",
    `DELETE FROM timer t USING ${from("w_timer_drop", "tree int8, id text")} WHERE t.tree = w.tree AND t.id = w.id AND ${live}`,
  ],
  [
    "w_timer",
    `INSERT INTO timer (tree, id, due_at, url, payload) SELECT w.tree, w.id, w.due_at, w.url, w.payload
    FROM ${from("w_timer", "tree int8, id text, due_at int8, url text, payload text")} WHERE ${live}
    ON CONFLICT (tree, id) DO UPDATE SET due_at = excluded.due_at, url = excluded.url, payload = excluded.payload`,
  ],
  [
    "w_work_drop",
    `DELETE FROM work t USING ${from("w_work_drop", "tree int8, id text")} WHERE t.tree = w.tree AND t.id = w.id AND ${live}`,
  ],
  [
    "w_work",
    `INSERT INTO work (tree, id, queue, name, url, open, position, version, payload)
    SELECT w.tree, w.id, w.queue, w.name, w.url, w.open, w.position, w.version, w.payload
    FROM ${from("w_work", "tree int8, id text, queue text, name text, url text, open boolean, position int8, version int8, payload text")} WHERE ${live}
    ON CONFLICT (tree, id) DO UPDATE SET queue = excluded.queue, name = excluded.name, url = excluded.url, open = excluded.open,
      position = excluded.position, version = excluded.version, payload = excluded.payload`,
  ],
  [
    "w_receipt",
    `INSERT INTO receipt (tree, key, fingerprint, response, expires_at) SELECT w.tree, w.key, w.fingerprint, w.response, w.expires_at
    FROM ${from("w_receipt", "tree int8, key text, fingerprint text, response text, expires_at int8")} WHERE ${live}
    ON CONFLICT (tree, key) DO UPDATE SET fingerprint = excluded.fingerprint, response = excluded.response, expires_at = excluded.expires_at`,
  ],
]

/** One after the other, as the commits had them: they are few. */
const RETENTION = `
    FOR r IN SELECT w.* FROM ${from("w_retention", "kind text, tree int8, stream int8, horizon int8, position int8, holder text, data bytea")} WHERE ${live} LOOP
      IF r.kind = 'snapshot' THEN
        IF NOT EXISTS (SELECT FROM snapshot s WHERE s.tree = r.tree AND s.stream = r.stream AND s.position >= r.position) THEN
          DELETE FROM snapshot s WHERE s.tree = r.tree AND s.stream = r.stream AND s.position > r.horizon AND s.position < r.position;
          INSERT INTO snapshot (tree, stream, position, data) VALUES (r.tree, r.stream, r.position, r.data);
        END IF;
      ELSIF r.kind = 'trim' THEN
        DELETE FROM snapshot s WHERE s.tree = r.tree AND s.stream = r.stream AND s.position < r.horizon;
        IF r.data IS NOT NULL THEN
          INSERT INTO snapshot (tree, stream, position, data) VALUES (r.tree, r.stream, r.horizon, r.data)
            ON CONFLICT (tree, stream, position) DO UPDATE SET data = excluded.data;
        END IF;
        INSERT INTO trimmed (tree, stream, until) VALUES (r.tree, r.stream, r.horizon)
          ON CONFLICT (tree, stream) DO UPDATE SET until = excluded.until;
      ELSIF r.kind = 'pin' THEN
        INSERT INTO pin (tree, stream, holder, position) VALUES (r.tree, r.stream, r.holder, r.position)
          ON CONFLICT (tree, stream, holder) DO UPDATE SET position = excluded.position;
      ELSE
        DELETE FROM pin p WHERE p.tree = r.tree AND p.stream = r.stream AND p.holder = r.holder;
      END IF;
    END LOOP;`

const SUBSCRIPTIONS = `
    FOR r IN SELECT w.* FROM ${from(
      "w_subscription",
      `kind text, tree int8, serial int8, id text, version int8, pattern text, wake_stream text, idle boolean, due_at int8, pending int8, links int8,
      named int8, config text, state text, path text, acked int8, behind boolean, explicit boolean, name text, value text, created_at int8`,
    )} WHERE ${live} LOOP
      IF r.kind = 'insert' THEN
        INSERT INTO subscription (tree, id, serial, rev, version, pattern, wake_stream, idle, due_at, pending, links, named, config, state)
          VALUES (r.tree, r.id, r.serial, 0, r.version, r.pattern, r.wake_stream, r.idle, r.due_at, r.pending, r.links, r.named, r.config, r.state);
      ELSIF r.kind = 'update' THEN
        UPDATE subscription s SET rev = rev + 1, version = r.version, idle = r.idle, due_at = r.due_at, config = r.config, state = r.state
          WHERE s.tree = r.tree AND s.serial = r.serial;
      ELSIF r.kind = 'count' THEN
        UPDATE subscription s SET rev = rev + 1, pending = r.pending, links = r.links, named = r.named, due_at = r.due_at
          WHERE s.tree = r.tree AND s.serial = r.serial;
      ELSIF r.kind = 'drop' THEN
        DELETE FROM subscription s WHERE s.tree = r.tree AND s.serial = r.serial;
        DELETE FROM subscribed l WHERE l.tree = r.tree AND l.subscription = r.serial;
      ELSIF r.kind = 'putLink' THEN
        UPDATE subscription s SET rev = rev + 1 WHERE s.tree = r.tree AND s.serial = r.serial;
        INSERT INTO subscribed (tree, subscription, path, acked, pending, explicit) VALUES (r.tree, r.serial, r.path, r.acked, r.behind, r.explicit)
          ON CONFLICT (tree, subscription, path) DO UPDATE SET acked = excluded.acked, pending = excluded.pending, explicit = excluded.explicit;
      ELSIF r.kind = 'dropLink' THEN
        UPDATE subscription s SET rev = rev + 1 WHERE s.tree = r.tree AND s.serial = r.serial;
        DELETE FROM subscribed l WHERE l.tree = r.tree AND l.subscription = r.serial AND l.path = r.path;
      ELSIF r.kind = 'putSecret' THEN
        INSERT INTO secret (tree, name, value, created_at) VALUES (r.tree, r.name, r.value, r.created_at)
          ON CONFLICT (tree, name) DO UPDATE SET value = excluded.value, created_at = excluded.created_at;
      ELSE
        DELETE FROM secret s WHERE s.tree = r.tree AND s.name = r.name;
      END IF;
    END LOOP;`

/**
 * @returns what is stale: nothing, parts of the group, or with `set` the knowledge of which subscriptions there are, and then nothing was done.
 */
export function applyFunction(schema: string): string {
  const done = WRITES.map(([name, sql]) => `  IF ${name} IS NOT NULL THEN ${sql}; END IF;`).join("\n")
  return `
CREATE OR REPLACE FUNCTION apply_1(b_tree int8, b_id text, locks int8[], set_version int8, set_changes boolean, set_lock int8,
  ${PARAMETERS.map((name) => `${name} text`).join(", ")}
) RETURNS TABLE (set_stale boolean, parts int4[]) VOLATILE LANGUAGE plpgsql
  SET search_path = ${schema}, pg_temp SET plan_cache_mode = force_generic_plan
  SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  k int8;
  r record;
  stale int4[];
BEGIN
  IF set_changes THEN PERFORM pg_advisory_xact_lock(set_lock); ELSE PERFORM pg_advisory_xact_lock_shared(set_lock); END IF;
  FOREACH k IN ARRAY locks LOOP PERFORM pg_advisory_xact_lock(k); END LOOP;
  IF set_version <> (SELECT value::int8 FROM meta WHERE key = 'subscriptions') THEN
    RETURN QUERY SELECT true, '{}'::int4[];
    RETURN;
  END IF;
${CHECKS}
${done}
  IF w_retention IS NOT NULL THEN${RETENTION}
  END IF;
  IF w_subscription IS NOT NULL THEN${SUBSCRIPTIONS}
  END IF;
  IF set_changes AND stale = '{}' THEN
    UPDATE meta SET value = (value::int8 + 1)::text WHERE key = 'subscriptions';
  END IF;
  INSERT INTO batch (tree, id, done, stale) VALUES (b_tree, b_id, true, stale);
  RETURN QUERY SELECT false, stale;
END $$;`
}
