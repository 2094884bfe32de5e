import { pgTableLabel } from "@rouse/protocol"

/** A table as the database describes it. */
export interface PgTableShape {
  readonly schema: string
  readonly table: string
  /** What may leave the database, in the table's order. The key is among them. */
  readonly columns: readonly string[]
  /** Of the primary key, in its order. */
  readonly key: readonly string[]
}

export interface PgInstall {
  /** Where the changes wait. */
  readonly feed: string
  /** A role that may take them, and nothing else. */
  readonly grantTo?: string
  /** Whether a change says at once that it is there. Without it, servers look. */
  readonly notifies: boolean
}

/** Beyond so many bytes, a row is told by its key alone. */
const EVENT_BYTES_MAX = 1_000_000

/**
 * The statements that make changes of a table wait for Rouse, each of which may be done again.
 *
 * 1. A change and its row in `change` are one transaction of the application.
 * 2. What a row was changed to follows in `change.id`, since who changes a row holds it until the transaction ends. Across rows, ids may become
 *    visible out of order; so there is no cursor, and what was taken is deleted.
 * 3. `take` gives rows the number of a batch. The rows of a numbered batch never change, until `done` deletes them: whoever takes again gets the
 *    same, which is known again by its number.
 * 4. Columns that are not named do not get into `change`.
 */
export function installStatements(shape: PgTableShape, install: PgInstall): readonly string[] {
  const { feed } = install
  return [
    `CREATE SCHEMA IF NOT EXISTS ${feed}`,
    `CREATE TABLE IF NOT EXISTS ${feed}.source (
  label text PRIMARY KEY,
  epoch int8 NOT NULL DEFAULT extract(epoch FROM clock_timestamp())::int8,
  batch int8 NOT NULL DEFAULT -1
)`,
    `CREATE TABLE IF NOT EXISTS ${feed}.change (
  id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, label text NOT NULL, batch int8, event text NOT NULL
)`,
    `CREATE INDEX IF NOT EXISTS change_batch ON ${feed}.change (label, batch, id)`,
    takeFunction(feed),
    doneFunction(feed),
    renewFunction(feed),
    `CREATE OR REPLACE FUNCTION ${feed}.tell() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN PERFORM pg_notify('${feed}', ''); RETURN NULL; END $fn$`,
    ...["take(int4, int4)", "done(text, int8, int8)", "renew(text, int8, int8)"].map(
      (name) => `REVOKE ALL ON FUNCTION ${feed}.${name} FROM PUBLIC`,
    ),
    `INSERT INTO ${feed}.source (label) VALUES (${literal(labelOf(shape))}) ON CONFLICT DO NOTHING`,
    changeFunction(shape, feed),
    ...triggers(shape, install),
    ...grants(install),
  ]
}

/** The statements that end it, and drop what waits. */
export function removeStatements(shape: Pick<PgTableShape, "schema" | "table">, feed: string): readonly string[] {
  const label = literal(labelOf(shape))
  return [
    `DROP TRIGGER IF EXISTS rouse_change ON ${tableOf(shape)}`,
    `DROP TRIGGER IF EXISTS rouse_tell ON ${tableOf(shape)}`,
    `DROP FUNCTION IF EXISTS ${functionOf(shape, feed)}()`,
    `DELETE FROM ${feed}.change WHERE label = ${label}`,
    `DELETE FROM ${feed}.source WHERE label = ${label}`,
  ]
}

/** A batch that was numbered and not done comes again, before anything else of its table. */
function takeFunction(feed: string): string {
  return `CREATE OR REPLACE FUNCTION ${feed}.take(rows_max int4, bytes_max int4)
RETURNS TABLE (source text, epoch_no int8, batch_no int8, events text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE s ${feed}.source%ROWTYPE;
BEGIN
  FOR s IN
    SELECT * FROM ${feed}.source o WHERE EXISTS (SELECT FROM ${feed}.change c WHERE c.label = o.label) ORDER BY o.label FOR UPDATE
  LOOP
    IF NOT EXISTS (SELECT FROM ${feed}.change c WHERE c.label = s.label AND c.batch = s.batch) THEN
      UPDATE ${feed}.change c SET batch = s.batch + 1 FROM (
        SELECT w.id, sum(octet_length(w.event)) OVER (ORDER BY w.id) AS bytes, row_number() OVER (ORDER BY w.id) AS n FROM (
          SELECT o.id, o.event FROM ${feed}.change o WHERE o.label = s.label AND o.batch IS NULL ORDER BY o.id LIMIT rows_max
        ) w
      ) m WHERE c.id = m.id AND (m.n = 1 OR m.bytes <= bytes_max);
      CONTINUE WHEN NOT FOUND;
      s.batch := s.batch + 1;
      UPDATE ${feed}.source o SET batch = s.batch WHERE o.label = s.label;
    END IF;
    RETURN QUERY SELECT s.label, s.epoch, s.batch, string_agg(c.event, ',' ORDER BY c.id) || ','
      FROM ${feed}.change c WHERE c.label = s.label AND c.batch = s.batch;
  END LOOP;
END $fn$`
}

function doneFunction(feed: string): string {
  return `CREATE OR REPLACE FUNCTION ${feed}.done(table_label text, in_epoch int8, batch_no int8) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
  DELETE FROM ${feed}.change c USING ${feed}.source s
  WHERE s.label = table_label AND s.epoch = in_epoch AND c.label = table_label AND c.batch = batch_no
$fn$`
}

/** Begins to number anew, under an epoch above all that were: for a Rouse that does not know the last number. */
function renewFunction(feed: string): string {
  return `CREATE OR REPLACE FUNCTION ${feed}.renew(table_label text, in_epoch int8, above int8) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
  UPDATE ${feed}.source SET epoch = greatest(epoch, above) + 1, batch = 0 WHERE label = table_label AND epoch = in_epoch;
  IF FOUND THEN UPDATE ${feed}.change SET batch = 0 WHERE label = table_label AND batch IS NOT NULL; END IF;
END $fn$`
}

/** Runs with its owner's rights: who writes to the table needs none on `change`. */
function changeFunction(shape: PgTableShape, feed: string): string {
  const label = literal(labelOf(shape))
  const row = (of: "NEW" | "OLD"): string =>
    `(SELECT to_jsonb(r) FROM (SELECT ${shape.columns.map((column) => `${of}.${identifier(column)}`).join(", ")}) r)`
  const large = bareOf("coalesce(became, was)", shape.key)
  return `CREATE OR REPLACE FUNCTION ${functionOf(shape, feed)}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
  became jsonb; was jsonb; became_key text; was_key text; event text; headers jsonb := jsonb_build_object('operation', lower(TG_OP), 'timestamp', now());
BEGIN
  IF TG_OP <> 'DELETE' THEN became := ${row("NEW")}; became_key := ${keyOf("became", shape.key)}; END IF;
  IF TG_OP <> 'INSERT' THEN was := ${row("OLD")}; was_key := ${keyOf("was", shape.key)}; END IF;
  IF became = was THEN RETURN NULL; END IF;
  IF was_key <> became_key THEN
    INSERT INTO ${feed}.change (label, event) VALUES (${label}, jsonb_build_object('type', ${label}, 'key', was_key,
      'old_value', CASE WHEN octet_length(was::text) <= ${EVENT_BYTES_MAX} THEN was ELSE ${bareOf("was", shape.key)} END, 'headers', headers || '{"operation": "delete"}')::text);
    was := NULL; headers := headers || '{"operation": "insert"}';
  END IF;
  event := CASE
    WHEN was IS NULL THEN jsonb_build_object('type', ${label}, 'key', became_key, 'value', became, 'headers', headers)
    WHEN became IS NULL THEN jsonb_build_object('type', ${label}, 'key', was_key, 'old_value', was, 'headers', headers)
    ELSE jsonb_build_object('type', ${label}, 'key', became_key, 'value', became, 'old_value', was, 'headers', headers)
  END::text;
  IF octet_length(event) > ${EVENT_BYTES_MAX} THEN
    event := jsonb_build_object('type', ${label}, 'key', coalesce(became_key, was_key), 'headers', headers || '{"large": true}',
      CASE WHEN became IS NULL THEN 'old_value' ELSE 'value' END, ${large})::text;
  END IF;
  INSERT INTO ${feed}.change (label, event) VALUES (${label}, event);
  RETURN NULL;
END $fn$`
}

function triggers(shape: PgTableShape, { feed, notifies }: PgInstall): string[] {
  const table = tableOf(shape)
  const events = "AFTER INSERT OR UPDATE OR DELETE"
  return [
    `CREATE OR REPLACE TRIGGER rouse_change ${events} ON ${table} FOR EACH ROW EXECUTE FUNCTION ${functionOf(shape, feed)}()`,
    notifies
      ? `CREATE OR REPLACE TRIGGER rouse_tell ${events} ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION ${feed}.tell()`
      : `DROP TRIGGER IF EXISTS rouse_tell ON ${table}`,
  ]
}

function grants({ feed, grantTo }: PgInstall): string[] {
  if (grantTo === undefined) return []
  const role = identifier(grantTo)
  return [
    `GRANT USAGE ON SCHEMA ${feed} TO ${role}`,
    `GRANT EXECUTE ON FUNCTION ${feed}.take(int4, int4), ${feed}.done(text, int8, int8), ${feed}.renew(text, int8, int8) TO ${role}`,
  ]
}

function keyOf(row: string, key: readonly string[]): string {
  const [only] = key
  if (key.length === 1 && only !== undefined) return `${row} ->> ${literal(only)}`
  return `jsonb_build_array(${key.map((column) => `${row} -> ${literal(column)}`).join(", ")})::text`
}

function bareOf(row: string, key: readonly string[]): string {
  return key.map((column) => `jsonb_build_object(${literal(column)}, ${row} -> ${literal(column)})`).join(" || ")
}

function labelOf({ schema, table }: Pick<PgTableShape, "schema" | "table">): string {
  return pgTableLabel(`${schema}.${table}`)
}

function functionOf(shape: Pick<PgTableShape, "schema" | "table">, feed: string): string {
  return `${feed}.${identifier(`of_${labelOf(shape)}`.slice(-63))}`
}

function tableOf({ schema, table }: Pick<PgTableShape, "schema" | "table">): string {
  return `${identifier(schema)}.${identifier(table)}`
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
