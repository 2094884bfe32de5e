import tailwind from "@tailwindcss/vite"
import react from "@vitejs/plugin-react"
import { defineConfig } from "vite"
import type { ProxyOptions } from "vite"

/** Of the examples that have a page: `vite examples/support-desk --config examples/vite.config.ts`. */

/** Passes the page's calls on to a Rouse server, so that both have one origin. */
export function passedOn(target: string): Record<string, ProxyOptions> {
  const configure: ProxyOptions["configure"] = (proxy) =>
    // A stream whose server is gone ends for the page too. Vite leaves it open.
    proxy.on("proxyRes", (upstream, _, response) => {
      upstream.once("close", () => {
        if (!upstream.complete) response.destroy()
      })
    })
  return { "/v1": { target, configure } }
}

const proxy = passedOn(process.env["ROUSE_URL"] ?? "http://127.0.0.1:4437")

export default defineConfig({
  plugins: [react(), tailwind()],
  resolve: { conditions: ["@rouse/source", "module", "browser", "development|production"] },
  server: { proxy },
  preview: { proxy },
  build: { target: "es2022", chunkSizeWarningLimit: 1_000 },
})
