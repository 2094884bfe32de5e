import { type HandlerFailure, RouseError } from "@rouse/protocol"

/** What a handler elsewhere said that it failed with, as it would have been thrown here. */
export function handlerError({ message, code, stack }: HandlerFailure): Error {
  // Codes that mean something of the lease are the server's own to say.
  const isOurs = code === "FENCED" || code === "STOPPED" || code === "INTERRUPTED" || code === "SHUTTING_DOWN"
  const error = code === undefined || isOurs ? new Error(message) : new RouseError(code, message)
  if (stack !== undefined) error.stack = stack
  return error
}
