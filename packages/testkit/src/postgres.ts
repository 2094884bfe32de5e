export { startPostgres } from "./postgres/server.ts"
export type { PostgresServer } from "./postgres/server.ts"
export { postgresStores } from "./postgres/stores.ts"
export type { PostgresStores } from "./postgres/stores.ts"
