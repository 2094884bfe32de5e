import { RouseError } from "@rouse/protocol"

/** Adds what to do to an error of a port in use. */
export function advisePort(port: number): (error: unknown) => never {
  return (error) => {
    const isInUse = RouseError.is(error) && codeOf(error.cause) === "EADDRINUSE"
    if (!isInUse) throw error
    throw new RouseError(
      "BAD_REQUEST",
      `port ${port} is in use: choose another with --port, or --port 0 for any free one`,
      { cause: error },
    )
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined
}
