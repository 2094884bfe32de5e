/** A server that stores nothing: reads a message, and answers. */
import { serveTurns } from "./serve-turns.mjs"

serveTurns(() => Promise.resolve())
