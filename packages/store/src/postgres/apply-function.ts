import { APPLY_PARAMETERS, from, live } from "./apply-parameters.ts"
import { WRITES } from "./apply-writes.ts"

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
    UNION ALL SELECT w.c FROM ${from("k_observation", "url text, name text, tree int8, path text, serial int8, rev int8")}
      WHERE CASE WHEN w.tree IS NULL THEN EXISTS (SELECT FROM observation o WHERE o.url = w.url AND o.name = w.name)
        ELSE NOT EXISTS (SELECT FROM observation o WHERE o.tree = w.tree AND o.path = w.path AND o.serial = w.serial AND o.rev = w.rev) END
    UNION ALL SELECT w.c FROM ${from("k_observer", "tree int8, path text, n int8, rev int8")}
      WHERE CASE WHEN w.n = 0 THEN EXISTS (SELECT FROM observation o WHERE o.tree = w.tree AND o.path = w.path)
        ELSE (SELECT count(*) <> w.n OR max(o.rev) IS DISTINCT FROM w.rev FROM observation o WHERE o.tree = w.tree AND o.path = w.path) END
    UNION ALL SELECT w.c FROM ${from("k_observing", "url text, serials text")}
      WHERE w.serials <> coalesce((SELECT string_agg(o.serial::text, ',' ORDER BY o.serial) FROM observation o WHERE o.url = w.url), '')
  ) k;`

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
 * Does a group of commits: compares what they were planned on with what is, and writes what the plans of those say that still hold.
 *
 * 1. Homes are locked in the order of their numbers, all at once, before anything is looked at: commits that touch one home follow one another, and
 *    no two wait for each other. Those of the homes of which a commit only needs to know that nobody observes them are shared.
 * 2. What is looked at behind the locks is what the last commit left: each statement sees all that was committed before it began.
 * 3. A part of the group, `c`, that was planned on what is no longer so, is left out whole, and named in the answer.
 * 4. The group leaves its name. A name that is taken, by the group itself or by one who gave it up, undoes all of it.
 *
 * @returns what is stale: nothing, parts of the group, or with `set` the knowledge of which subscriptions there are, and then nothing was done.
 */
export function applyFunction(schema: string): string {
  const done = WRITES.map(([name, sql]) => `  IF ${name} IS NOT NULL THEN ${sql}; END IF;`).join("\n")
  return `
CREATE OR REPLACE FUNCTION apply_1(b_tree int8, b_id text, locks int8[], shared int8[], set_version int8, set_changes boolean, set_lock int8,
  ${APPLY_PARAMETERS.map((name) => `${name} text`).join(", ")}
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
  FOREACH k IN ARRAY locks LOOP
    IF k = ANY (shared) THEN PERFORM pg_advisory_xact_lock_shared(k); ELSE PERFORM pg_advisory_xact_lock(k); END IF;
  END LOOP;
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
