import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { profileArgs, startRouse } from "../systems/rouse.ts"
import type { BenchContext } from "./bench.ts"
import type { Child } from "./child.ts"
import { Figures, type Metric } from "./figures.ts"
import { Connection } from "./http.ts"
import { inTemporaryDirectory } from "./temporary.ts"

export interface Rounds {
  /** Whose figures they are. */
  readonly of: string
  /** The agents that are served. */
  readonly file: string
  /** How many are counted, unless the command says. */
  readonly rounds: number
  readonly prepare?: (child: Child, connection: Connection) => Promise<void>
  /** @param round From 0, which is not counted: its code is loaded then. */
  readonly measure: (
    child: Child,
    connection: Connection,
    round: number,
  ) => Promise<readonly (readonly [Metric, number])[]>
}

/** Measures the same thing again and again on one server, which has an empty directory at first. */
export async function inRounds(
  context: BenchContext,
  { of, file, rounds, prepare, measure }: Rounds,
): Promise<Figures> {
  return await inTemporaryDirectory(async (directory) => {
    const figures = new Figures()
    const data = join(directory, "data")
    await mkdir(data)
    const child = await startRouse({ program: context.rouse, directory: data, files: [file], nodeArgs: profileArgs() })
    try {
      const connection = await Connection.open(child.url)
      await prepare?.(child, connection)
      for (let round = 0; round <= (context.rounds ?? rounds); round++) {
        const measured = await measure(child, connection, round)
        if (round === 0) continue
        for (const [metric, value] of measured) figures.add(metric, of, value)
      }
      connection.close()
    } finally {
      await child.stop()
    }
    return figures
  })
}
