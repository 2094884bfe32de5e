export { moveStore } from "./move-store.ts"
export type { MoveOptions, MovePlace } from "./move-store.ts"
export type { MoveProgress, MoveReport } from "./move.ts"
