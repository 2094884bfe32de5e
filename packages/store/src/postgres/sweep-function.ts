/** Rows that one sweep drops of each kind. */
export const SWEEP_ROWS_MAX = 500
/** How far marks of the time are apart, milliseconds. */
const ERA_MS = 3_600_000
/** Marks that are kept: more than two years of them. */
const ERAS_MAX = 20_000
/** How long the name of a group is kept: nobody asks later. */
const BATCHES_KEPT = "1 hour"

/** Objects of a stream are for the bucket to forget: a row each, until they are deleted there. */
const LOOSEN = (which: string): string => `
    WITH gone AS (DELETE FROM offloaded o USING (SELECT tail FROM offloaded WHERE tree = s.tree AND stream = s.stream ${which}
        ORDER BY tail LIMIT ${SWEEP_ROWS_MAX} - chunks) d
      WHERE o.tree = s.tree AND o.stream = s.stream AND o.tail = d.tail RETURNING o.key)
    INSERT INTO loose (tree, key, stream, due_at, tries) SELECT s.tree, key, s.stream, now_ms, 1 FROM gone ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS n = ROW_COUNT;
    chunks := chunks + n;
    EXIT WHEN chunks >= ${SWEEP_ROWS_MAX};`

/**
 * Drops what has expired and what deleted streams left behind, a bounded number of rows at a time. What another is at is left for later: several
 * replicas may sweep at once, and none waits for a commit.
 */
export function sweepFunction(schema: string): string {
  return `
CREATE OR REPLACE FUNCTION sweep_1(now_ms int8) RETURNS TABLE (dropped int8, paths json) VOLATILE LANGUAGE plpgsql
  SET search_path = ${schema}, pg_temp SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  s record;
  n int8;
  total int8;
  chunks int8 := 0;
  gone text[] := '{}';
BEGIN
  DELETE FROM receipt r USING (SELECT tree, key FROM receipt WHERE expires_at <= now_ms LIMIT ${SWEEP_ROWS_MAX} FOR UPDATE SKIP LOCKED) d
    WHERE r.tree = d.tree AND r.key = d.key;
  GET DIAGNOSTICS total = ROW_COUNT;
  FOR s IN SELECT tree, path, id, lock, source_tree, forked_from FROM stream
      WHERE dies_at IS NOT NULL AND dies_at <= now_ms ORDER BY dies_at LIMIT ${SWEEP_ROWS_MAX} LOOP
    CONTINUE WHEN NOT pg_try_advisory_xact_lock(s.lock);
    CONTINUE WHEN EXISTS (SELECT FROM stream o WHERE o.tree = s.source_tree AND o.id = s.forked_from AND NOT pg_try_advisory_xact_lock(o.lock));
    CONTINUE WHEN EXISTS (SELECT FROM subscribed l WHERE l.path = s.path AND NOT pg_try_advisory_xact_lock(l.tree));
    CONTINUE WHEN NOT EXISTS (SELECT FROM stream o WHERE o.tree = s.tree AND o.path = s.path AND o.id = s.id AND o.dies_at <= now_ms);
    UPDATE subscription b SET rev = b.rev + 1, pending = b.pending - l.pending::int, links = b.links - (NOT l.explicit)::int
      FROM subscribed l WHERE l.path = s.path AND b.tree = l.tree AND b.serial = l.subscription;
    DELETE FROM subscribed l WHERE l.path = s.path AND NOT l.explicit;
    UPDATE subscribed l SET acked = 0, pending = false WHERE l.path = s.path;
    UPDATE observation o SET cursor = 0, pending = false, due_at = timeout_at, rev = nextval('revs')
      WHERE o.tree = s.lock AND o.path = s.path;
    gone := gone || s.path;
    UPDATE stream o SET deleted = true, dies_at = NULL, rev = o.rev + 1 WHERE o.tree = s.tree AND o.path = s.path AND o.forks > 0;
    IF FOUND THEN CONTINUE; END IF;
    DELETE FROM stream o WHERE o.tree = s.tree AND o.path = s.path AND o.id = s.id;
    INSERT INTO garbage (tree, stream) VALUES (s.tree, s.id) ON CONFLICT DO NOTHING;
    UPDATE stream o SET forks = o.forks - 1, rev = o.rev + 1, dies_at = CASE WHEN o.deleted AND o.forks = 1 THEN 0 ELSE o.dies_at END
      WHERE o.tree = s.source_tree AND o.id = s.forked_from;
  END LOOP;
  FOR s IN SELECT tree, stream FROM garbage LIMIT ${SWEEP_ROWS_MAX} FOR UPDATE SKIP LOCKED LOOP
    EXIT WHEN chunks >= ${SWEEP_ROWS_MAX};
    DELETE FROM chunk c USING (SELECT tail FROM chunk WHERE tree = s.tree AND stream = s.stream ORDER BY tail LIMIT ${SWEEP_ROWS_MAX} - chunks) d
      WHERE c.tree = s.tree AND c.stream = s.stream AND c.tail = d.tail;
    GET DIAGNOSTICS n = ROW_COUNT;
    chunks := chunks + n;
    EXIT WHEN chunks >= ${SWEEP_ROWS_MAX};
    ${LOOSEN("")}
    DELETE FROM space_row r USING (SELECT collection, key FROM space_row WHERE tree = s.tree AND stream = s.stream LIMIT ${SWEEP_ROWS_MAX} - chunks) d
      WHERE r.tree = s.tree AND r.stream = s.stream AND r.collection = d.collection AND r.key = d.key;
    GET DIAGNOSTICS n = ROW_COUNT;
    chunks := chunks + n;
    EXIT WHEN chunks >= ${SWEEP_ROWS_MAX};
    DELETE FROM space_queue u USING (SELECT collection, queue, free_at, made FROM space_queue WHERE tree = s.tree AND stream = s.stream
        LIMIT ${SWEEP_ROWS_MAX} - chunks) d
      WHERE u.tree = s.tree AND u.stream = s.stream AND u.collection = d.collection AND u.queue = d.queue AND u.free_at = d.free_at
        AND u.made = d.made;
    GET DIAGNOSTICS n = ROW_COUNT;
    chunks := chunks + n;
    EXIT WHEN chunks >= ${SWEEP_ROWS_MAX};
    DELETE FROM space_index u USING (SELECT collection, queue, key FROM space_index WHERE tree = s.tree AND stream = s.stream
        LIMIT ${SWEEP_ROWS_MAX} - chunks) d
      WHERE u.tree = s.tree AND u.stream = s.stream AND u.collection = d.collection AND u.queue = d.queue AND u.key = d.key;
    GET DIAGNOSTICS n = ROW_COUNT;
    chunks := chunks + n;
    EXIT WHEN chunks >= ${SWEEP_ROWS_MAX};
    DELETE FROM space x WHERE x.tree = s.tree AND x.stream = s.stream;
    DELETE FROM producer p WHERE p.tree = s.tree AND p.stream = s.stream;
    DELETE FROM snapshot p WHERE p.tree = s.tree AND p.stream = s.stream;
    DELETE FROM trimmed p WHERE p.tree = s.tree AND p.stream = s.stream;
    DELETE FROM pin p WHERE p.tree = s.tree AND p.stream = s.stream;
    DELETE FROM garbage g WHERE g.tree = s.tree AND g.stream = s.stream;
  END LOOP;
  FOR s IN SELECT tree, stream, until FROM trimmed LIMIT ${SWEEP_ROWS_MAX} FOR UPDATE SKIP LOCKED LOOP
    EXIT WHEN chunks >= ${SWEEP_ROWS_MAX};
    DELETE FROM chunk c USING (SELECT tail FROM chunk WHERE tree = s.tree AND stream = s.stream AND tail <= s.until
        ORDER BY tail LIMIT ${SWEEP_ROWS_MAX} - chunks) d
      WHERE c.tree = s.tree AND c.stream = s.stream AND c.tail = d.tail;
    GET DIAGNOSTICS n = ROW_COUNT;
    chunks := chunks + n;
    EXIT WHEN chunks >= ${SWEEP_ROWS_MAX};
    ${LOOSEN("AND tail <= s.until")}
    DELETE FROM trimmed t WHERE t.tree = s.tree AND t.stream = s.stream;
  END LOOP;
  INSERT INTO era (n, at) SELECT max(e.n) + 1, now_ms FROM era e HAVING now_ms - max(e.at) >= ${ERA_MS} ON CONFLICT DO NOTHING;
  DELETE FROM era e WHERE e.n > 0 AND e.n <= (SELECT max(x.n) - ${ERAS_MAX} FROM era x);
  DELETE FROM batch b USING (SELECT tree, id FROM batch WHERE at < now() - interval '${BATCHES_KEPT}' LIMIT ${SWEEP_ROWS_MAX} FOR UPDATE SKIP LOCKED) d
    WHERE b.tree = d.tree AND b.id = d.id;
  RETURN QUERY SELECT total + coalesce(cardinality(gone), 0) + chunks, array_to_json(gone);
END $$;`
}
