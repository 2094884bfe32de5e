import { isAbsolute } from "node:path"
import { fileURLToPath } from "node:url"
import { rolldown } from "rolldown"

export interface Chunk {
  readonly name: string
  readonly code: string
  readonly isEntry: boolean
}

/** A module and all it needs, minified, as for a Worker: no built-ins of Node. What is loaded lazily is in files of its own. */
export async function bundle(file: string): Promise<readonly Chunk[]> {
  const build = await rolldown({
    input: isAbsolute(file) ? file : fileURLToPath(new URL(file, import.meta.url)),
    platform: "browser",
    resolve: { conditionNames: ["@rouse/source", "workerd", "worker", "browser", "import"] },
    logLevel: "silent",
  })
  try {
    const { output } = await build.generate({ format: "esm", minify: true })
    return output.flatMap((one) =>
      one.type === "chunk" ? [{ name: one.fileName, code: one.code, isEntry: one.isEntry }] : [],
    )
  } finally {
    await build.close()
  }
}
