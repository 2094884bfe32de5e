export { run } from "./run.ts"
export { processIo } from "./io.ts"
export type { Colors, Io } from "./io.ts"
export type { ExitCode } from "./core/failure.ts"
