import { fileURLToPath } from "node:url"

export const pageDirectory = fileURLToPath(new URL("./dist", import.meta.url))
