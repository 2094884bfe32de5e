import { fileURLToPath } from "node:url"
import { rolldown } from "rolldown"

export interface Chunk {
  readonly name: string
  readonly code: string
  readonly isEntry: boolean
}

/** A module and all it needs, minified, as for a Worker: no built-ins of Node. @param whole In one file, with what is loaded lazily. */
export async function bundle(file: string, whole: boolean): Promise<readonly Chunk[]> {
  const build = await rolldown({
    input: fileURLToPath(new URL(file, import.meta.url)),
    platform: "browser",
    resolve: { conditionNames: ["@rouse/source", "workerd", "worker", "browser", "import"] },
    logLevel: "silent",
  })
  try {
    const { output } = await build.generate({ format: "esm", minify: true, ...(whole ? { codeSplitting: false } : {}) })
    return output.flatMap((one) =>
      one.type === "chunk" ? [{ name: one.fileName, code: one.code, isEntry: one.isEntry }] : [],
    )
  } finally {
    await build.close()
  }
}
