export { openPostgresStore } from "./open.ts"
export type { PostgresStoreOptions } from "./open.ts"
