export { openPostgresStore } from "./open.ts"
export type { OffloadOptions, PostgresStoreOptions } from "./open.ts"
