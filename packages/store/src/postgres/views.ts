/** The role that may read the views, where a database has it. */
const READER = "rouse_reader"
/** The role whose members read the agents of the tenants that they are named for, and nothing else. */
const TENANT_READER = "rouse_tenant_reader"
/** The tag of the agent at the top of a tree that says whose it is. */
const TENANT_TAG = "tenant"

const VIEWS = ["agents", "runs", "model_calls", "tool_calls", "messages", "spend"] as const

/**
 * What people and other programs read with SQL: one view for each kind of thing, of which columns are only ever added. Tables are Rouse's own and
 * may change.
 *
 * @see docs/sql.md
 */
export function viewsOf(schema: string): readonly string[] {
  return [TENANTS, JSON_OF(schema), ...views(schema), GRANTS(schema, READER), GRANTS(schema, TENANT_READER)]
}

/** Which tenants' agents a role reads. Whoever runs the database fills it in. */
const TENANTS = `CREATE TABLE tenant_reader (
  tree int8 NOT NULL DEFAULT 0, role text COLLATE "C" NOT NULL, tenant text COLLATE "C" NOT NULL, PRIMARY KEY (tree, role, tenant)
)`

/**
 * Which agents who asks may see: all of them, as a reader, as who owns them or as superuser; else those of its tenants. Within a view these tables are
 * read with the rights of its owner, and `current_user` is who asks.
 */
const seen = (schema: string): string => `(SELECT EXISTS (SELECT FROM pg_roles r
    WHERE (r.rolname = '${READER}' OR r.oid = (SELECT nspowner FROM pg_namespace WHERE nspname = '${schema}')) AND pg_has_role(current_user, r.oid, 'USAGE')))
  OR b.tenant IN (SELECT t.tenant FROM ${schema}.tenant_reader t JOIN pg_roles r ON r.rolname = t.role
    WHERE pg_has_role(current_user, r.oid, 'USAGE'))`

/** JSON may hold what `jsonb` refuses, U+0000 and halves of pairs: they become U+FFFD, and the row is there. */
const JSON_OF = (schema: string): string => `
CREATE FUNCTION json_of(value text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = ${schema}, pg_temp AS $$
BEGIN
  RETURN value::jsonb;
EXCEPTION WHEN untranslatable_character OR invalid_text_representation THEN
  RETURN regexp_replace(value, '\\\\u(0000|d[89a-f][0-9a-f]{2})', '\\\\ufffd', 'gi')::jsonb;
END $$`

const time = (milliseconds: string): string => `to_timestamp(${milliseconds} / 1000.0)`
const stamp = (field: string): string => `(v ->> '${field}')::timestamptz`
const count = (field: string): string => `coalesce((v -> 'usage' ->> '${field}')::int8, 0)`
const USAGE = `${count("inputTokens")} AS input_tokens, ${count("outputTokens")} AS output_tokens,
  ${count("cachedInputTokens")} AS cached_input_tokens, coalesce((v -> 'usage' ->> 'usd')::numeric, 0) AS usd`
const AGENT = "e.url AS agent, e.type, e.root"

/** The live rows of a collection, as `v`, with the agent that they are of. */
const rows = (schema: string, collection: string): string =>
  `${schema}.agent_base e JOIN LATERAL (SELECT r.key, ${schema}.json_of(r.value) AS v FROM ${schema}."row" r
    WHERE r.tree = e.tree AND r.entity = e.id AND r.collection = '${collection}' OFFSET 0) r ON true`

function views(schema: string): string[] {
  const of = (collection: string): string => rows(schema, collection)
  const root = `coalesce(${schema}.json_of(e.control) ->> 'root', e.url)`
  return [
    // What is not leak-proof is looked at after the agents that may not be seen are gone.
    `CREATE VIEW agent_base WITH (security_barrier) AS SELECT b.* FROM (SELECT e.tree, e.id, e.url, e.type, e.name, e.status, e.parent, e.dead, e.epoch,
  e.created_at, e.active_at, e.due_at, e.tags, e.args, ${schema}.json_of(e.control) AS control, ${root} AS root,
  (SELECT g.value FROM ${schema}.entity o JOIN ${schema}.tag g ON g.tree = o.tree AND g.entity = o.id AND g.name = '${TENANT_TAG}'
    WHERE o.tree = e.tree AND o.url = ${root}) AS tenant FROM ${schema}.entity e) b WHERE ${seen(schema)}`,
    `CREATE VIEW agents AS SELECT e.url AS agent, e.type, e.root, e.name AS id, e.parent, e.status, e.dead AS has_dead_letters,
  ${schema}.json_of(e.tags) AS tags, ${schema}.json_of(e.args) AS args, ${time("e.created_at")} AS created_at, ${time("e.active_at")} AS active_at,
  ${time("e.due_at")} AS due_at, e.tenant FROM ${schema}.agent_base e`,
    `CREATE VIEW runs AS SELECT ${AGENT}, r.key AS run, v ->> 'status' AS status, ${stamp("startedAt")} AS started_at,
  ${stamp("endedAt")} AS ended_at, v -> 'reply' AS reply, v -> 'error' ->> 'code' AS error_code, v -> 'error' ->> 'message' AS error,
  v ->> 'version' AS version, ${USAGE} FROM ${of("run")}`,
    `CREATE VIEW model_calls AS SELECT ${AGENT}, v ->> 'run' AS run, r.key AS step, v ->> 'model' AS model, v ->> 'status' AS status,
  ${stamp("startedAt")} AS started_at, ${stamp("endedAt")} AS ended_at, v ->> 'finishReason' AS finish_reason,
  v -> 'error' ->> 'code' AS error_code, v -> 'error' ->> 'message' AS error, ${USAGE} FROM ${of("step")}`,
    `CREATE VIEW tool_calls AS SELECT ${AGENT}, v ->> 'run' AS run, v ->> 'step' AS step, r.key AS call, v ->> 'name' AS tool,
  v ->> 'effect' AS effect, v ->> 'backend' AS backend, v ->> 'status' AS status, coalesce(v -> 'edited', v -> 'input') AS input,
  v -> 'output' AS output, v ->> 'error' AS error, v ->> 'resolved' AS resolved, coalesce((v ->> 'attempts')::int4, 0) AS attempts,
  ${stamp("startedAt")} AS started_at, ${stamp("endedAt")} AS ended_at FROM ${of("tool_call")}`,
    `CREATE VIEW messages AS SELECT ${AGENT}, r.key AS message, v ->> 'kind' AS kind, v -> 'from' ->> 'kind' AS from_kind,
  v -> 'from' ->> 'id' AS from_id, v -> 'content' AS content, v ->> 'mode' AS mode, v ->> 'status' AS status, v ->> 'run' AS run,
  v ->> 'reason' AS reason, ${stamp("at")} AS at FROM ${of("message")}`,
    `CREATE VIEW spend AS SELECT ${AGENT}, p.key AS period, m.key AS model, (m.value ->> 0)::int8 AS calls,
  (m.value ->> 1)::int8 AS input_tokens, (m.value ->> 2)::int8 AS output_tokens, (m.value ->> 3)::int8 AS cached_input_tokens,
  (m.value ->> 5)::numeric AS usd, (m.value ->> 6)::int8 AS calls_without_price
  FROM ${schema}.agent_base e, LATERAL jsonb_each(coalesce(e.control -> 'usage', '{}')) p, LATERAL jsonb_each(p.value) m`,
  ]
}

const GRANTS = (schema: string, role: string): string => `DO $grant$ BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') THEN
    GRANT USAGE ON SCHEMA ${schema} TO ${role};
    GRANT SELECT ON ${VIEWS.map((view) => `${schema}.${view}`).join(", ")} TO ${role};
    GRANT EXECUTE ON FUNCTION ${schema}.json_of(text) TO ${role};
  END IF;
END $grant$`
