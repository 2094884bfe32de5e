import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import type { Io } from "../io.ts"

export interface DeployFlags extends RemoteOptions {
  readonly as?: string
}

/** `rouse deploy <address>` */
export async function deploy(address: string, flags: DeployFlags, io: Io): Promise<void> {
  const types = await connect(flags, io).deploy(address, { version: flags.as, signal: io.stop })
  if (flags.json === true) return io.out(types.map((type) => `${JSON.stringify(type)}\n`).join(""))
  for (const { name, versions = [], version } of types) {
    const [newest] = versions
    const runs =
      newest?.version === version ? "begins new runs" : `registered; version ${version ?? "none"} begins new runs`
    io.out(`${io.color.green("✓")} ${io.color.bold(name)} ${newest?.version ?? ""} ${io.color.dim(runs)}\n`)
  }
}
