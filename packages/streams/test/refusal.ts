import { RouseError } from "@rouse/protocol"

/** The code with which something was refused; undefined when it was not. */
export function refusal(work: () => unknown): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    if (RouseError.is(error)) return error.code
    throw error
  }
}
