export { installPgTable, removePgTable } from "./install.ts"
export type { PgInstallOptions } from "./install.ts"
export { openPgSource } from "./open.ts"
export type { PgSource, PgSourceOptions } from "./open.ts"
