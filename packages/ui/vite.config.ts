import tailwind from "@tailwindcss/vite"
import react from "@vitejs/plugin-react"
import { defineConfig } from "vite"

/** A Rouse server that the development server passes API calls to. */
const API = process.env["ROUSE_URL"] ?? "http://127.0.0.1:4437"

export default defineConfig({
  plugins: [react(), tailwind()],
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
