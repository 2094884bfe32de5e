import { readFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { basename, isAbsolute } from "node:path"
import { fileURLToPath } from "node:url"
import { rolldown } from "rolldown"
import type { Plugin } from "rolldown"

export interface Chunk {
  readonly name: string
  readonly code: string
  readonly isEntry: boolean
  /** Of a module that is WebAssembly. */
  readonly wasm?: Uint8Array
}

/**
 * A module and all it needs, minified, as for a Worker: no built-ins of Node. What is loaded lazily is in files of its own, and so is
 * WebAssembly; texts are part of the code.
 */
export async function bundle(file: string): Promise<readonly Chunk[]> {
  const engines = new Map<string, string>()
  const build = await rolldown({
    plugins: [wasmFiles(engines)],
    moduleTypes: { ".yaml": "text" },
    input: isAbsolute(file) ? file : fileURLToPath(new URL(file, import.meta.url)),
    platform: "browser",
    resolve: { conditionNames: ["@rouse/source", "workerd", "worker", "browser", "import"] },
    logLevel: "silent",
  })
  try {
    const { output } = await build.generate({ format: "esm", minify: true })
    const code = output.flatMap((one) =>
      one.type === "chunk" ? [{ name: one.fileName, code: one.code, isEntry: one.isEntry }] : [],
    )
    const wasm = [...engines].map(async ([name, path]) => ({
      name,
      code: "",
      isEntry: false,
      wasm: await readFile(path),
    }))
    return [...code, ...(await Promise.all(wasm))]
  } finally {
    await build.close()
  }
}

/** Leaves imports of WebAssembly to the runtime, as bundlers for Workers do, and notes the files. */
function wasmFiles(engines: Map<string, string>): Plugin {
  return {
    name: "wasm-files",
    resolveId(source, importer) {
      if (!/[./]wasm$/.test(source) || importer === undefined) return null
      const path = createRequire(importer).resolve(source)
      const name = basename(path)
      engines.set(name, path)
      return { id: `./${name}`, external: true }
    },
  }
}
