import { MIGRATIONS } from "../../src/postgres/schema.ts"
import type { Migration } from "../../src/postgres/schema.ts"

/** What a later Rouse may add, at its worst: a column to every table, beside a table, an index and a function. */
const ADDS: Migration = {
  steps: () => [
    `DO $all$ DECLARE t text; BEGIN
      FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP
        EXECUTE format('ALTER TABLE %I ADD COLUMN later int8 NOT NULL DEFAULT 7', t);
      END LOOP;
    END $all$`,
    "CREATE TABLE later (tree int8 NOT NULL, id int8 NOT NULL, PRIMARY KEY (tree, id))",
    "CREATE INDEX entity_later ON entity (tree, later)",
    "CREATE FUNCTION later_1() RETURNS int8 LANGUAGE sql AS 'SELECT 1::int8'",
  ],
}

/** The migrations of a later Rouse that only adds. */
export const LATER: readonly Migration[] = [...MIGRATIONS, ADDS]

/** Those of one after that, which takes something away that `LATER` does not use any more. */
export const LAST: readonly Migration[] = [...LATER, { steps: () => ["DROP INDEX entity_later"], least: LATER.length }]
