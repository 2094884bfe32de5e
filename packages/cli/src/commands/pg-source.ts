import { RouseError } from "@rouse/protocol"
import { installPgTable, removePgTable } from "@rouse/server/pg-source"
import type { Io } from "../io.ts"

export interface PgSourceFlags {
  readonly url?: string
  readonly print?: boolean
  readonly json?: boolean
}

export interface InstallFlags extends PgSourceFlags {
  readonly columns?: string
  readonly grantTo?: string
  readonly notify: boolean
}

/** `rouse pg-source install <table>` */
export async function install(table: string, flags: InstallFlags, io: Io): Promise<void> {
  const columns = flags.columns?.split(",").map((name) => name.trim())
  const statements = await installPgTable({
    ...common(table, flags, io),
    notifies: flags.notify,
    ...(columns === undefined ? {} : { columns }),
    ...(flags.grantTo === undefined ? {} : { grantTo: flags.grantTo }),
  })
  print(statements, flags, io)
}

/** `rouse pg-source remove <table>` */
export async function remove(table: string, flags: PgSourceFlags, io: Io): Promise<void> {
  print(await removePgTable(common(table, flags, io)), flags, io)
}

function common(table: string, { url, print: dryRun = false }: PgSourceFlags, io: Io) {
  const address = url ?? io.env["ROUSE_PG_SOURCE_URL"]
  if (address === undefined || address === "")
    throw new RouseError("BAD_REQUEST", "which database? Give --url postgres://… or set ROUSE_PG_SOURCE_URL")
  return { url: address, table, dryRun }
}

function print(statements: readonly string[], { json, print: dryRun }: PgSourceFlags, io: Io): void {
  if (json === true) return io.out(`${JSON.stringify(statements)}\n`)
  io.out(statements.map((statement) => `${statement};\n`).join("\n"))
  io.err(dryRun === true ? "Nothing was changed.\n" : "Done: all of it is in one transaction.\n")
}
