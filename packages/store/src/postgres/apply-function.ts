import { CHECKS } from "./apply-checks.ts"
import { APPLY_LISTS, from, live, whenAny } from "./apply-lists.ts"
import type { ApplyList } from "./apply-lists.ts"
import { WRITES } from "./apply-writes.ts"

/** One after the other, as the commits had them: they are few. */
const RETENTION = `
    FOR r IN SELECT w.* FROM ${from("w_retention")} WHERE ${live} LOOP
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
    FOR r IN SELECT w.* FROM ${from("w_subscription")} WHERE ${live} LOOP
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
 * @returns the parts that are stale; null, and nothing is done, when what is known of which subscriptions there are is.
 */
export function applyFunction(schema: string): string {
  const statements = new Map<ApplyList, string>([
    ...CHECKS,
    ...WRITES.map(([list, sql]) => [list, `${sql};`] as const),
    ["w_retention", RETENTION],
    ["w_subscription", SUBSCRIPTIONS],
  ])
  const done = [...APPLY_LISTS.keys()].map((list) => whenAny(list, statements.get(list) ?? missing(list))).join("\n")
  return `
CREATE OR REPLACE FUNCTION apply_1(b_tree int8, b_id text, locks int8[], shared int8[], set_version int8, set_changes boolean, set_lock int8,
  sizes int4[], parts int4[], nums int8[], txts text[], hex text
) RETURNS int4[] VOLATILE LANGUAGE plpgsql
  SET search_path = ${schema}, pg_temp SET plan_cache_mode = force_generic_plan
  SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
<<own>>
DECLARE
  k int8;
  locked boolean;
  r record;
  byts bytea := decode(hex, 'hex');
  at_c int4 := 0;
  at_n int4 := 0;
  at_t int4 := 0;
  stale int4[] := '{}';
BEGIN
  locked := CASE WHEN set_changes THEN pg_advisory_xact_lock(set_lock) IS NULL ELSE pg_advisory_xact_lock_shared(set_lock) IS NULL END;
  FOREACH k IN ARRAY locks LOOP
    locked := CASE WHEN k = ANY (shared) THEN pg_advisory_xact_lock_shared(k) IS NULL ELSE pg_advisory_xact_lock(k) IS NULL END;
  END LOOP;
  INSERT INTO batch (tree, id, done, stale) SELECT b_tree, b_id, true, '{}' FROM meta WHERE key = 'subscriptions' AND value = set_version::text;
  IF NOT FOUND THEN RETURN NULL; END IF;
${done}
  IF set_changes AND stale = '{}' THEN
    UPDATE meta SET value = (value::int8 + 1)::text WHERE key = 'subscriptions';
  END IF;
  IF stale <> '{}' THEN UPDATE batch b SET stale = own.stale WHERE b.tree = b_tree AND b.id = b_id; END IF;
  RETURN stale;
END $$;`
}

function missing(list: ApplyList): never {
  throw new Error(`nothing is said of the list ${list}`)
}
