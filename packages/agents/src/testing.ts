export { TestRouse, createTestRouse } from "./testing/rouse.ts"
export type { TestRouseOptions } from "./testing/host.ts"
export { scriptedModel } from "./testing/model.ts"
export type { Script, ScriptEntry, ScriptedAnswer, ScriptedModel, ScriptedStep } from "./testing/model.ts"
export { echoModel } from "./echo.ts"
export type { EchoOptions } from "./echo.ts"
export { replaySession } from "./testing/replay/replay.ts"
export type { Effect, ReplayOptions, ReplayResult } from "./testing/replay/replay.ts"
export { recordSession } from "./testing/replay/recording.ts"
export type {
  RecordedCall,
  RecordedMessage,
  RecordedRun,
  RecordedStep,
  SessionRecording,
} from "./testing/replay/recording.ts"
export { diffSessions } from "./testing/replay/diff.ts"
export type { RunDiff, RunFacts } from "./testing/replay/diff.ts"
export type { Missing, MissingCall } from "./testing/replay/world.ts"
