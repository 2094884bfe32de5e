/** Streams that one look is at. */
const STREAMS_MAX = 1_000
/** From the beginning of one round over all streams to the next, milliseconds. */
const ROUND_MS = 3_600_000

const SETTINGS = (schema: string): string => `LANGUAGE plpgsql
  SET search_path = ${schema}, pg_temp SET plan_cache_mode = force_generic_plan
  SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off`

/**
 * The next streams of the round that all replicas go together, and those among them that have enough to offload. Null: the round is over, or another
 * is at it.
 */
const PAGE = (schema: string): string => `
CREATE OR REPLACE FUNCTION offload_page_1(now_ms int8, before_ms int8, quiet_min int8, busy_min int8, tail_bytes int8) RETURNS json VOLATILE ${SETTINGS(schema)} AS $$
DECLARE
  w record;
  bound int4;
  seen int8;
  last_tree int8;
  last_id int8;
  listed json;
BEGIN
  INSERT INTO walk (tree, at_tree, at_id, round_at) VALUES (0, -1, 0, 0) ON CONFLICT DO NOTHING;
  SELECT * INTO w FROM walk WHERE tree = 0 AND round_at <= now_ms FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN RETURN NULL; END IF;
  bound := CASE WHEN before_ms IS NULL THEN 2147483647 ELSE coalesce((SELECT max(n) FROM era WHERE tree = 0 AND at <= before_ms), 0) END;
  WITH page AS MATERIALIZED (
    SELECT s.tree, s.id, s.path, s.offloaded, greatest(s.offloaded, s.horizon, coalesce(s.fork_at, 0)) AS start FROM stream s
      WHERE (s.tree, s.id) > (w.at_tree, w.at_id) ORDER BY s.tree, s.id LIMIT ${STREAMS_MAX}
  ), old AS (
    SELECT p.*, l.tail - tail_bytes AS sealed, l.era < bound AS quiet FROM page p
      CROSS JOIN LATERAL (SELECT c.tail, c.era FROM chunk c WHERE c.tree = p.tree AND c.stream = p.id ORDER BY c.tail DESC LIMIT 1) l
      CROSS JOIN LATERAL (SELECT c.era FROM chunk c WHERE c.tree = p.tree AND c.stream = p.id AND c.tail > p.start ORDER BY c.tail LIMIT 1) f
      WHERE l.tail - tail_bytes - p.start >= CASE WHEN l.era < bound THEN quiet_min ELSE busy_min END AND f.era < bound
        AND NOT EXISTS (SELECT FROM loose o WHERE o.tree = p.tree AND o.stream = p.id AND o.tries = 0 AND o.due_at > now_ms)
  )
  SELECT (SELECT json_agg(row_to_json(o)) FROM old o), (SELECT count(*) FROM page),
    (SELECT p.tree FROM page p ORDER BY p.tree DESC, p.id DESC LIMIT 1), (SELECT p.id FROM page p ORDER BY p.tree DESC, p.id DESC LIMIT 1)
    INTO listed, seen, last_tree, last_id;
  IF seen < ${STREAMS_MAX} THEN
    UPDATE walk SET at_tree = -1, at_id = 0, round_at = now_ms + ${ROUND_MS} WHERE tree = 0;
  ELSE
    UPDATE walk SET at_tree = last_tree, at_id = last_id WHERE tree = 0;
  END IF;
  RETURN json_build_object('era', bound, 'found', coalesce(listed, '[]'::json));
END $$;`

/**
 * Batches give way to the object that has them. False, and nothing is done, when they are not as they were, another was first, or the object was
 * given up.
 */
const SWAP = (schema: string): string => `
CREATE OR REPLACE FUNCTION offload_1(of_tree int8, of_path text, of_stream int8, of_key text, was int8, from_at int8, to_at int8, of_era int4,
  of_rows int8, of_blocks text) RETURNS boolean VOLATILE ${SETTINGS(schema)} AS $$
DECLARE
  n int8;
BEGIN
  PERFORM FROM loose l WHERE l.tree = of_tree AND l.key = of_key AND l.tries = 0 FOR UPDATE;
  IF NOT FOUND THEN RETURN false; END IF;
  UPDATE stream s SET offloaded = to_at WHERE s.tree = of_tree AND s.path = of_path AND s.id = of_stream AND s.offloaded = was
    AND greatest(s.offloaded, s.horizon, coalesce(s.fork_at, 0)) = from_at;
  IF NOT FOUND THEN RETURN false; END IF;
  DELETE FROM chunk c WHERE c.tree = of_tree AND c.stream = of_stream AND c.tail > from_at AND c.tail <= to_at;
  GET DIAGNOSTICS n = ROW_COUNT;
  IF n <> of_rows THEN RAISE EXCEPTION 'of % batches to offload there are %', of_rows, n; END IF;
  INSERT INTO offloaded (tree, stream, tail, start, era, key, blocks) VALUES (of_tree, of_stream, to_at, from_at, of_era, of_key, of_blocks);
  DELETE FROM loose l WHERE l.tree = of_tree AND l.key = of_key;
  RETURN true;
END $$;`

export function offloadFunctions(schema: string): readonly string[] {
  return [PAGE(schema), SWAP(schema)]
}
