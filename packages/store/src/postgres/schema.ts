import { applyFunction } from "./apply-function.ts"
import { functionsOf } from "./functions.ts"
import { offloadFunctions } from "./offload/function.ts"
import { sweepFunction } from "./sweep-function.ts"
import { viewsOf } from "./views.ts"

/**
 * The tables of the distributed engine. As in the embedded one (see `sqlite/schema.ts`), but for:
 *
 * - Every table has `tree`, the number that a database which shards may distribute it by (`core/home.ts`), and every unique constraint begins with
 *   it. Two are exempt and small enough to be everywhere, or distributed by their own key: `meta`, and `place`, which tells the
 *   tree of an entity that was spawned by another.
 * - `lock` is the number of a stream's home. Commits exclude one another by advisory locks on such numbers: an append writes no row but its batch.
 * - `rev` grows with every change of a row but for its tail: what a commit was planned on is compared with it.
 * - An observation lies with what it observes, and `space`, `space_row`, `space_queue` and `space_index` with the log of the space. A name of a queue that
 *   is long is there by its digest.
 * - A batch carries the `era` in which it was written: a mark of the time that sweeps make.
 * - A row of `offloaded` has the place of `chunk` for all batches between two positions: they are in an object in a bucket. A stream's are below its
 *   column `offloaded`, its batches in `chunk` above. `loose` has the objects that no stream refers to, yet or any more; `walk` how far all replicas
 *   have come on their round over the streams.
 * - `batch` remembers which groups of commits were done: whoever lost its connection asks there.
 * - A row of `replica` is a process's session. Where it `locks`, it goes on as long as somebody holds the advisory lock of its `serial`; elsewhere as
 *   long as it was seen of late.
 * - Text is sorted by its bytes.
 */
const TEXT = `text COLLATE "C" NOT NULL`

const FIRST = `
CREATE SEQUENCE ids INCREMENT BY 256 MINVALUE 1 START 1;
CREATE TABLE meta (key ${TEXT} PRIMARY KEY, value ${TEXT});
CREATE TABLE place (url ${TEXT} PRIMARY KEY, tree int8 NOT NULL);
CREATE TABLE batch (
  tree int8 NOT NULL, id ${TEXT}, at timestamptz NOT NULL DEFAULT now(), done boolean NOT NULL, stale int4[] NOT NULL, PRIMARY KEY (tree, id)
);
CREATE INDEX batch_at ON batch (at);
CREATE TABLE stream (
  tree int8 NOT NULL,
  path ${TEXT},
  id int8 NOT NULL,
  lock int8 NOT NULL,
  rev int8 NOT NULL,
  content_type text NOT NULL,
  closed boolean NOT NULL,
  closed_by text,
  stream_seq text,
  created_at int8 NOT NULL,
  ttl_seconds int8,
  expires_at int8,
  dies_at int8,
  horizon int8 NOT NULL,
  source text,
  source_tree int8,
  forked_from int8,
  fork_base int8,
  fork_sub int8,
  fork_at int8,
  forks int4 NOT NULL,
  deleted boolean NOT NULL,
  offloaded int8 NOT NULL DEFAULT 0,
  PRIMARY KEY (tree, path)
) WITH (fillfactor = 85);
CREATE INDEX stream_path ON stream (path);
CREATE INDEX stream_id ON stream (tree, id);
CREATE INDEX stream_fork ON stream (forked_from, fork_at) WHERE forked_from IS NOT NULL;
CREATE INDEX stream_dying ON stream (dies_at) WHERE dies_at IS NOT NULL;
CREATE TABLE chunk (
  tree int8 NOT NULL, stream int8 NOT NULL, tail int8 NOT NULL, era int4 NOT NULL, data bytea NOT NULL, PRIMARY KEY (tree, stream, tail)
);
CREATE TABLE offloaded (
  tree int8 NOT NULL, stream int8 NOT NULL, tail int8 NOT NULL, start int8 NOT NULL, era int4 NOT NULL, key ${TEXT}, blocks text NOT NULL,
  PRIMARY KEY (tree, stream, tail)
);
CREATE TABLE loose (
  tree int8 NOT NULL, key ${TEXT}, stream int8 NOT NULL, due_at int8 NOT NULL, tries int4 NOT NULL, PRIMARY KEY (tree, key)
);
CREATE INDEX loose_due ON loose (due_at);
CREATE INDEX loose_stream ON loose (tree, stream);
CREATE TABLE walk (tree int8 NOT NULL PRIMARY KEY, at_tree int8 NOT NULL, at_id int8 NOT NULL, round_at int8 NOT NULL);
CREATE TABLE producer (
  tree int8 NOT NULL, stream int8 NOT NULL, id ${TEXT}, epoch int8 NOT NULL, seq int8 NOT NULL, PRIMARY KEY (tree, stream, id)
) WITH (fillfactor = 70);
CREATE TABLE garbage (tree int8 NOT NULL, stream int8 NOT NULL, PRIMARY KEY (tree, stream));
CREATE TABLE snapshot (
  tree int8 NOT NULL, stream int8 NOT NULL, position int8 NOT NULL, data bytea NOT NULL, PRIMARY KEY (tree, stream, position)
);
CREATE TABLE trimmed (tree int8 NOT NULL, stream int8 NOT NULL, until int8 NOT NULL, PRIMARY KEY (tree, stream));
CREATE TABLE pin (
  tree int8 NOT NULL, stream int8 NOT NULL, holder ${TEXT}, position int8 NOT NULL, PRIMARY KEY (tree, stream, holder)
);
CREATE TABLE era (tree int8 NOT NULL DEFAULT 0, n int4 NOT NULL, at int8 NOT NULL, PRIMARY KEY (tree, n));
CREATE TABLE entity (
  tree int8 NOT NULL,
  url ${TEXT},
  id int8 NOT NULL,
  type ${TEXT},
  name text NOT NULL,
  status ${TEXT},
  version int8 NOT NULL,
  epoch int8 NOT NULL,
  seq int8 NOT NULL,
  parent text COLLATE "C",
  created_at int8 NOT NULL,
  active_at int8 NOT NULL,
  active_second int8 NOT NULL,
  due_at int8,
  dead boolean NOT NULL,
  tags text NOT NULL,
  args text NOT NULL,
  control text NOT NULL,
  PRIMARY KEY (tree, url)
) WITH (fillfactor = 70);
CREATE INDEX entity_url ON entity (url);
CREATE INDEX entity_active ON entity (active_second DESC, url);
CREATE INDEX entity_status ON entity (status, active_second DESC, url) WHERE status <> 'idle';
CREATE INDEX entity_parent ON entity (parent) WHERE parent IS NOT NULL;
CREATE INDEX entity_due ON entity (due_at, id, status, type) WHERE due_at IS NOT NULL;
CREATE INDEX entity_dead ON entity (active_second DESC, url) WHERE dead;
CREATE TABLE tag (
  tree int8 NOT NULL, entity int8 NOT NULL, name ${TEXT}, value ${TEXT}, PRIMARY KEY (tree, entity, name)
);
CREATE INDEX tag_name ON tag (name, value, entity);
CREATE TABLE "row" (
  tree int8 NOT NULL, entity int8 NOT NULL, collection ${TEXT}, key ${TEXT}, value text NOT NULL, PRIMARY KEY (tree, entity, collection, key)
) WITH (fillfactor = 80);
CREATE TABLE timer (
  tree int8 NOT NULL, id ${TEXT}, due_at int8 NOT NULL, url ${TEXT}, payload text NOT NULL, PRIMARY KEY (tree, id)
);
CREATE INDEX timer_id ON timer (id);
CREATE INDEX timer_due ON timer (due_at, id);
CREATE INDEX timer_url ON timer (tree, url);
CREATE TABLE work (
  tree int8 NOT NULL, id ${TEXT}, queue ${TEXT}, name ${TEXT}, url ${TEXT}, open boolean NOT NULL, position int8 NOT NULL, version int8 NOT NULL,
  payload text NOT NULL, PRIMARY KEY (tree, id)
);
CREATE INDEX work_id ON work (id);
CREATE INDEX work_open ON work (queue, name, open, position, id);
CREATE INDEX work_queue ON work (queue, position, id);
CREATE INDEX work_url ON work (tree, url);
CREATE TABLE receipt (
  tree int8 NOT NULL, key ${TEXT}, fingerprint text NOT NULL, response text NOT NULL, expires_at int8 NOT NULL, PRIMARY KEY (tree, key)
);
CREATE INDEX receipt_expiry ON receipt (expires_at);
CREATE TABLE subscription (
  tree int8 NOT NULL,
  id ${TEXT},
  serial int8 NOT NULL,
  rev int8 NOT NULL,
  version int8 NOT NULL,
  pattern text,
  wake_stream text,
  idle boolean NOT NULL,
  due_at int8,
  pending int8 NOT NULL,
  links int8 NOT NULL,
  named int8 NOT NULL,
  config text NOT NULL,
  state text NOT NULL,
  PRIMARY KEY (tree, id)
);
CREATE INDEX subscription_due ON subscription (due_at, serial) WHERE due_at IS NOT NULL;
CREATE TABLE subscribed (
  tree int8 NOT NULL, subscription int8 NOT NULL, path ${TEXT}, acked int8 NOT NULL, pending boolean NOT NULL, explicit boolean NOT NULL,
  PRIMARY KEY (tree, subscription, path)
);
CREATE INDEX subscribed_path ON subscribed (path);
CREATE INDEX subscribed_pending ON subscribed (tree, subscription, pending DESC, path);
CREATE SEQUENCE revs;
CREATE TABLE observation (
  tree int8 NOT NULL,
  path ${TEXT},
  serial int8 NOT NULL,
  rev int8 NOT NULL,
  version int8 NOT NULL,
  url ${TEXT},
  name ${TEXT},
  filter text NOT NULL,
  debounce int8 NOT NULL,
  cursor int8 NOT NULL,
  pending boolean NOT NULL,
  due_at int8,
  timeout_at int8,
  config text NOT NULL,
  PRIMARY KEY (tree, path, serial)
) WITH (fillfactor = 80);
CREATE INDEX observation_path ON observation (tree, path, rev);
CREATE INDEX observation_url ON observation (url, name);
CREATE INDEX observation_due ON observation (due_at, serial) WHERE due_at IS NOT NULL;
CREATE TABLE space (
  tree int8 NOT NULL, stream int8 NOT NULL, path ${TEXT}, version int8 NOT NULL, definition text NOT NULL, created_at int8 NOT NULL,
  rows int8 NOT NULL, forget int8 NOT NULL DEFAULT 0, PRIMARY KEY (tree, stream)
) WITH (fillfactor = 70);
CREATE INDEX space_path ON space (path);
CREATE INDEX space_forget ON space (forget) WHERE forget > 0;
CREATE TABLE space_row (
  tree int8 NOT NULL, stream int8 NOT NULL, collection ${TEXT}, key ${TEXT}, version int8 NOT NULL, made int8 NOT NULL, done boolean NOT NULL,
  token int8 NOT NULL, holder text COLLATE "C", claim text COLLATE "C", free_at int8 NOT NULL, owner text COLLATE "C", value text NOT NULL,
  PRIMARY KEY (tree, stream, collection, key)
) WITH (fillfactor = 80);
CREATE INDEX space_held ON space_row (tree, stream, holder, claim) WHERE holder IS NOT NULL;
CREATE INDEX space_owner ON space_row (owner) WHERE owner IS NOT NULL;
CREATE INDEX space_expiry ON space_row (free_at) WHERE free_at > 0;
CREATE TABLE space_queue (
  tree int8 NOT NULL, stream int8 NOT NULL, collection ${TEXT}, queue ${TEXT}, free_at int8 NOT NULL, made int8 NOT NULL, key ${TEXT},
  PRIMARY KEY (tree, stream, collection, queue, free_at, made)
);
CREATE TABLE space_index (
  tree int8 NOT NULL, stream int8 NOT NULL, collection ${TEXT}, queue ${TEXT}, key ${TEXT}, PRIMARY KEY (tree, stream, collection, queue, key)
);
CREATE TABLE secret (tree int8 NOT NULL, name ${TEXT}, value text NOT NULL, created_at int8 NOT NULL, PRIMARY KEY (tree, name));
CREATE INDEX secret_name ON secret (name);
CREATE TABLE replica (
  tree int8 NOT NULL DEFAULT 0, id ${TEXT}, serial int4 NOT NULL, capacity int4 NOT NULL, locks boolean NOT NULL, seen_at timestamptz NOT NULL,
  PRIMARY KEY (tree, id)
);
INSERT INTO meta (key, value) VALUES ('subscriptions', '0'), ('least', '1');
INSERT INTO era (n, at) VALUES (0, -9007199254740991);
`

/** One step from a version of the tables to the next. */
export interface Migration {
  /** Statements, done in the transaction of all that are due. */
  readonly steps: (schema: string) => readonly string[]
  /** The oldest version that may run on what it leaves. As before when absent: all that is only added leaves it alone. */
  readonly least?: number
}

/**
 * In order. Append only, and only what an older replica that still runs does not trip over: new tables, columns with defaults, functions under new
 * names. Commits wait meanwhile. What is not needed any more goes in a later version than the one that stopped using it, and says so by `least`.
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    steps: (schema) => [
      FIRST,
      ...functionsOf(schema),
      applyFunction(schema),
      sweepFunction(schema),
      ...offloadFunctions(schema),
      ...viewsOf(schema),
    ],
  },
]
