/**
 * What runs within the database: one call loads what a group of commits is planned on, one call does the group.
 *
 * Replicas of different versions run at the same time, so a function is never changed once released: a new one gets a new number.
 * The plan of each statement is held to the primary keys, whatever the tables' statistics say while they are young.
 */
const SETTINGS = (schema: string): string => `LANGUAGE plpgsql
  SET search_path = ${schema}, pg_temp SET plan_cache_mode = force_generic_plan
  SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off`

const OBSERVATION =
  "o.serial, o.rev, o.version, o.url, o.name, o.path, o.filter, o.debounce, o.cursor, o.pending, o.due_at, o.timeout_at"

/** Of what was asked: when something was, and what is found. Each is a statement of its own: most lookups ask little. */
const FOUND: readonly (readonly [string, string, string])[] = [
  [
    "place",
    "q_stream IS NOT NULL OR q_entity IS NOT NULL",
    `SELECT json_agg(json_build_object('url', p.url, 'tree', p.tree)) FROM (
      SELECT home FROM json_to_recordset(q_stream::json) AS q(home text) UNION
      SELECT home FROM json_to_recordset(q_entity::json) AS q(home text)) q JOIN place p ON p.url = q.home`,
  ],
  [
    "stream",
    "q_stream IS NOT NULL",
    `WITH RECURSIVE line AS (
      SELECT s.*, 0 AS depth FROM json_to_recordset(q_stream::json) AS q(path text, home text, tree int8)
        LEFT JOIN place p ON p.url = q.home JOIN stream s ON s.tree = coalesce(p.tree, q.tree) AND s.path = q.path
      UNION ALL SELECT s.*, line.depth + 1 FROM line JOIN stream s ON s.tree = line.source_tree AND s.id = line.forked_from WHERE line.depth < 200)
      SELECT json_agg(row_to_json(l)) FROM (SELECT line.*, coalesce(
        (SELECT tail FROM chunk c WHERE c.tree = line.tree AND c.stream = line.id ORDER BY tail DESC LIMIT 1), fork_at, 0) AS tail FROM line) l`,
  ],
  [
    "entity",
    "q_entity IS NOT NULL",
    `SELECT json_agg(row_to_json(l)) FROM (SELECT e.tree, e.url, e.id, e.type, e.name, e.status, e.version, e.epoch, e.seq, e.parent,
        e.created_at, e.active_at, e.due_at, e.tags, e.args
      FROM json_to_recordset(q_entity::json) AS q(url text, home text, tree int8)
        LEFT JOIN place p ON p.url = q.home JOIN entity e ON e.tree = coalesce(p.tree, q.tree) AND e.url = q.url) l`,
  ],
  [
    "producer",
    "q_producer IS NOT NULL",
    `SELECT json_agg(json_build_object('path', q.path, 'id', q.id, 'epoch', r.epoch, 'seq', r.seq))
      FROM json_to_recordset(q_producer::json) AS q(path text, home text, tree int8, id text)
        LEFT JOIN place p ON p.url = q.home JOIN stream s ON s.tree = coalesce(p.tree, q.tree) AND s.path = q.path
        JOIN producer r ON r.tree = s.tree AND r.stream = s.id AND r.id = q.id`,
  ],
  [
    "timer",
    "q_timer IS NOT NULL",
    `SELECT json_agg(json_build_object('id', t.id, 'tree', t.tree, 'url', t.url))
      FROM json_to_recordset(q_timer::json) AS q(id text) JOIN timer t ON t.id = q.id`,
  ],
  [
    "receipt",
    "q_receipt IS NOT NULL",
    `SELECT json_agg(r.key) FROM json_to_recordset(q_receipt::json) AS q(tree int8, key text)
      JOIN receipt r ON r.tree = q.tree AND r.key = q.key`,
  ],
  [
    "work",
    "q_work IS NOT NULL",
    `SELECT json_agg(json_build_object('id', t.id, 'tree', t.tree, 'url', t.url, 'version', t.version))
      FROM json_to_recordset(q_work::json) AS q(id text) JOIN work t ON t.id = q.id`,
  ],
  [
    "subscription",
    "q_subscription IS NOT NULL",
    `SELECT json_agg(row_to_json(s)) FROM json_to_recordset(q_subscription::json) AS q(tree int8, id text)
      JOIN subscription s ON s.tree = q.tree AND s.id = q.id`,
  ],
  [
    "link",
    "q_link IS NOT NULL",
    `SELECT json_agg(json_build_object('path', l.path, 'acked', l.acked, 'pending', l.pending, 'explicit', l.explicit, 'of', row_to_json(s)))
      FROM json_to_recordset(q_link::json) AS q(path text) JOIN subscribed l ON l.path = q.path
        JOIN subscription s ON s.tree = l.tree AND s.serial = l.subscription`,
  ],
  [
    "end",
    "q_end IS NOT NULL",
    `SELECT json_agg(json_build_object('stream', c.stream, 'tail', c.tail))
      FROM json_to_recordset(q_end::json) AS q(tree int8, stream int8, tail int8)
        JOIN chunk c ON c.tree = q.tree AND c.stream = q.stream AND c.tail = q.tail`,
  ],
  [
    "after",
    "q_after IS NOT NULL",
    `SELECT json_agg(json_build_object('stream', q.stream, 'tail', q.tail, 'data',
        (SELECT data FROM chunk c WHERE c.tree = q.tree AND c.stream = q.stream AND c.tail > q.tail ORDER BY c.tail LIMIT 1)))
      FROM json_to_recordset(q_after::json) AS q(tree int8, stream int8, tail int8)`,
  ],
  [
    "pin",
    "q_pin IS NOT NULL",
    `SELECT json_agg(json_build_object('stream', q.stream, 'position', pinned_1(q.tree, q.stream, q.path)))
      FROM json_to_recordset(q_pin::json) AS q(tree int8, stream int8, path text)`,
  ],
  [
    "observation",
    "q_observation IS NOT NULL",
    `SELECT json_agg(row_to_json(l)) FROM (SELECT ${OBSERVATION} FROM json_to_recordset(q_observation::json) AS q(url text, name text)
      JOIN observation o ON o.url = q.url AND o.name = q.name) l`,
  ],
  [
    "observer",
    "q_observer IS NOT NULL",
    `SELECT json_agg(json_build_object('path', q.path, 'of', (SELECT json_agg(row_to_json(l)) FROM (
        SELECT ${OBSERVATION} FROM observation o WHERE o.tree = q.tree AND o.path = q.path ORDER BY o.serial) l)))
      FROM json_to_recordset(q_observer::json) AS q(path text, tree int8)`,
  ],
  [
    "observing",
    "q_observing IS NOT NULL",
    `SELECT json_agg(json_build_object('url', o.url, 'name', o.name, 'path', o.path, 'serial', o.serial) ORDER BY o.serial)
      FROM json_to_recordset(q_observing::json) AS q(url text) JOIN observation o ON o.url = q.url`,
  ],
  ["space", "q_space IS NOT NULL", "SELECT spaces_1(q_space::json)"],
  ["set", "true", "SELECT to_json(value::int8) FROM meta WHERE key = 'subscriptions'"],
  [
    "all",
    "f_set::text::int8 <> q_set",
    `SELECT json_agg(json_build_object('serial', serial, 'id', id, 'pattern', pattern, 'wake_stream', wake_stream)) FROM subscription`,
  ],
  ["least", "f_set::text::int8 <> q_set", "SELECT to_json(value::int4) FROM meta WHERE key = 'least'"],
  ["ids", "q_ids", "SELECT to_json(nextval('ids'))"],
]

/**
 * The facts that were asked for, as they are now. A stream comes with those it was forked from.
 */
const LOAD = (schema: string): string => `
CREATE OR REPLACE FUNCTION load_1(
  q_stream text, q_entity text, q_producer text, q_timer text, q_receipt text, q_work text, q_subscription text, q_link text, q_end text, q_after text,
  q_pin text, q_observation text, q_observer text, q_observing text, q_space text, q_set int8, q_ids boolean
) RETURNS json STABLE ${SETTINGS(schema)} AS $$
DECLARE
  ${FOUND.map(([name]) => `f_${name} json;`).join(" ")}
BEGIN
${FOUND.map(([name, when, select]) => `  IF ${when} THEN f_${name} := (${select}); END IF;`).join("\n")}
  RETURN json_build_object(${FOUND.map(([name]) => `'${name}', f_${name}`).join(", ")});
END $$;`

/** The first position of a stream that something still needs. See `sqlite/pins.ts`. */
const PINNED = (schema: string): string => `
CREATE OR REPLACE FUNCTION pinned_1(of_tree int8, of_stream int8, of_path text) RETURNS int8 STABLE ${SETTINGS(schema)} AS $$
BEGIN
  RETURN (SELECT min(position) FROM (
    SELECT min(position) AS position FROM pin WHERE tree = of_tree AND stream = of_stream UNION ALL
    SELECT min(horizon) FROM stream WHERE forked_from = of_stream AND horizon < fork_at UNION ALL
    SELECT min(acked) FROM subscribed WHERE path = of_path UNION ALL
    SELECT min(cursor) FROM observation WHERE tree = of_tree AND path = of_path AND pending) p);
END $$;`

/** What was asked of rows of spaces, with the stream of each space. */
const OF_SPACE = (asked: string, columns: string): string => `
      FROM json_to_recordset(asked->'${asked}') AS q(path text, home text, tree int8, id text${columns})
        LEFT JOIN place p ON p.url = q.home JOIN stream s ON s.tree = coalesce(p.tree, q.tree) AND s.path = q.path`
const QUEUED = `
        SELECT r.* FROM space_queue u JOIN space_row r ON r.tree = u.tree AND r.stream = u.stream AND r.collection = u.collection AND r.key = u.key
          WHERE u.tree = s.tree AND u.stream = s.id AND u.collection = q.collection AND u.queue = q.queue`

/** The same of spaces, in a statement of its own: most commits concern none. */
const SPACES = (schema: string): string => `
CREATE OR REPLACE FUNCTION spaces_1(asked json) RETURNS json STABLE ${SETTINGS(schema)} AS $$
BEGIN
  RETURN json_build_object(
    'spaces', (SELECT json_agg(json_build_object('path', q.path, 'stream', x.stream, 'version', x.version, 'definition', x.definition,
        'created_at', x.created_at, 'rows', x.rows, 'forget', x.forget))${OF_SPACE("spaces", "")} JOIN space x ON x.tree = s.tree AND x.stream = s.id),
    'spaceRows', (SELECT json_agg(json_build_object('path', q.path, 'id', q.id, 'of', row_to_json(r)))${OF_SPACE(
      "spaceRows",
      ", collection text, key text",
    )} JOIN space_row r ON r.tree = s.tree AND r.stream = s.id AND r.collection = q.collection AND r.key = q.key),
    'occupied', (SELECT json_agg(json_build_object('path', q.path, 'id', q.id))${OF_SPACE("occupied", ", collection text")}
      WHERE EXISTS (SELECT FROM space_row r WHERE r.tree = s.tree AND r.stream = s.id AND r.collection = q.collection)),
    'claimable', (SELECT json_agg(json_build_object('path', q.path, 'id', q.id,
        'expired', (SELECT json_agg(row_to_json(l)) FROM (${QUEUED} AND u.free_at > 0 AND u.free_at <= q.now ORDER BY u.free_at, u.made LIMIT q.most) l),
        'free', (SELECT json_agg(row_to_json(l)) FROM (${QUEUED} AND u.free_at = 0 ORDER BY u.made LIMIT q.most) l)))${OF_SPACE(
          "claimable",
          ", collection text, queue text, now int8, most int8",
        )}),
    'held', (SELECT json_agg(json_build_object('path', q.path, 'id', q.id, 'of', (SELECT json_agg(row_to_json(r) ORDER BY r.token) FROM space_row r
        WHERE r.tree = s.tree AND r.stream = s.id AND r.holder = q.holder AND r.claim = q.claim)))${OF_SPACE(
          "held",
          ", holder text, claim text",
        )}),
    'heldCounts', (SELECT json_agg(json_build_object('path', q.path, 'id', q.id, 'count', (SELECT count(*) FROM space_row r
        WHERE r.tree = s.tree AND r.stream = s.id AND r.holder = q.holder AND r.free_at > q.now)))${OF_SPACE(
          "heldCounts",
          ", holder text, now int8",
        )})
  );
END $$;`

export function functionsOf(schema: string): readonly string[] {
  return [PINNED(schema), SPACES(schema), LOAD(schema)]
}
