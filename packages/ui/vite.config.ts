import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import tailwind from "@tailwindcss/vite"
import react from "@vitejs/plugin-react"
import { defineConfig } from "vite"
import type { Plugin } from "vite"

/** A Rouse server that the development server passes API calls to. */
const API = process.env["ROUSE_URL"] ?? "http://127.0.0.1:4437"

export default defineConfig({
  plugins: [react(), tailwind(), compressed()],
  resolve: { conditions: ["@rouse/source", "module", "browser", "development|production"] },
  server: { proxy: { "/v1": { target: API }, "/healthz": { target: API }, "/readyz": { target: API } } },
  build: {
    target: "es2022",
    outDir: "dist",
    // The content security policy allows no `data:` scripts or fonts.
    assetsInlineLimit: 0,
    // The Markdown renderer is larger, and loaded only when there is text to show.
    chunkSizeWarningLimit: 600,
    modulePreload: { polyfill: false },
  },
})

/** Smaller files gain nothing that a packet would notice. */
const COMPRESSED_BYTES_MIN = 1_400

/** Leaves a `.gz` beside every file that is worth it, so that the server need not compress. */
function compressed(): Plugin {
  let directory = ""
  return {
    name: "compressed",
    apply: "build",
    configResolved: ({ root, build }) => {
      directory = join(root, build.outDir)
    },
    closeBundle: () => {
      for (const name of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
        const path = join(directory, name)
        if (!/\.(js|css|html|svg)$/.test(name) || statSync(path).size < COMPRESSED_BYTES_MIN) continue
        writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }))
      }
    },
  }
}
