export { admit, scopeOf } from "./gate.ts"
export type { GateOptions, GateRequest } from "./gate.ts"
export { listenWith } from "./listen.ts"
export type { Listening } from "./listen.ts"
