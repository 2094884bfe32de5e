import { from } from "./apply-lists.ts"
import type { ApplyList } from "./apply-lists.ts"

/** For each list of what plans were based on: the rows `w` of those that are no longer so. */
const STALE: readonly (readonly [ApplyList, string])[] = [
  [
    "k_stream",
    `LEFT JOIN stream s ON s.tree = w.tree AND s.path = w.path
      WHERE coalesce(s.id, 0) <> w.id OR (w.id <> 0 AND (s.rev <> w.rev OR w.tail <> coalesce(
        (SELECT tail FROM chunk c WHERE c.tree = w.tree AND c.stream = w.id ORDER BY tail DESC LIMIT 1), s.fork_at, 0)))`,
  ],
  [
    "k_entity",
    `LEFT JOIN entity e ON e.tree = w.tree AND e.url = w.url
      WHERE coalesce(e.id, 0) <> w.id OR (w.id <> 0 AND (e.version <> w.version OR e.seq <> w.seq))`,
  ],
  [
    "k_observer",
    `WHERE CASE WHEN w.n = 0 THEN EXISTS (SELECT FROM observation o WHERE o.tree = w.tree AND o.path = w.path)
        ELSE (SELECT count(*) <> w.n OR max(o.rev) IS DISTINCT FROM w.rev FROM observation o WHERE o.tree = w.tree AND o.path = w.path) END`,
  ],
  ["k_place", "LEFT JOIN place p ON p.url = w.url WHERE p.tree IS DISTINCT FROM w.tree"],
  [
    "k_timer",
    `WHERE CASE WHEN w.tree IS NULL THEN EXISTS (SELECT FROM timer t WHERE t.id = w.id)
        ELSE NOT EXISTS (SELECT FROM timer t WHERE t.tree = w.tree AND t.id = w.id) END`,
  ],
  ["k_receipt", "WHERE w.there <> EXISTS (SELECT FROM receipt r WHERE r.tree = w.tree AND r.key = w.key)"],
  [
    "k_work",
    `WHERE CASE WHEN w.tree IS NULL THEN EXISTS (SELECT FROM work t WHERE t.id = w.id)
        ELSE NOT EXISTS (SELECT FROM work t WHERE t.tree = w.tree AND t.id = w.id AND t.version = w.version) END`,
  ],
  [
    "k_subscription",
    `LEFT JOIN subscription s ON s.tree = w.tree AND s.id = w.id
      WHERE coalesce(s.serial, 0) <> w.serial OR coalesce(s.rev, 0) <> w.rev`,
  ],
  ["k_pin", "WHERE pinned_1(w.tree, w.stream, w.path) IS DISTINCT FROM w.position"],
  [
    "k_observation",
    `WHERE CASE WHEN w.tree IS NULL THEN EXISTS (SELECT FROM observation o WHERE o.url = w.url AND o.name = w.name)
        ELSE NOT EXISTS (SELECT FROM observation o WHERE o.tree = w.tree AND o.path = w.path AND o.serial = w.serial AND o.rev = w.rev) END`,
  ],
  [
    "k_observing",
    `WHERE w.serials <> coalesce((SELECT string_agg(o.serial::text, ',' ORDER BY o.serial) FROM observation o WHERE o.url = w.url), '')`,
  ],
]

/** Statements that note in `stale` the parts of what is no longer so. */
export const CHECKS: readonly (readonly [ApplyList, string])[] = STALE.map(([list, condition]) => [
  list,
  `stale := stale || ARRAY(SELECT w.c FROM ${from(list)}
      ${condition});`,
])
