import type { Session } from "./session.ts"
import type { ToolContext } from "./tool.ts"

type Toolkit = Pick<ToolContext, "log" | "secret" | "redact" | "host">

const toolkits = new WeakMap<Session, Toolkit>()

/** What every tool call of a session is given alike. */
export function toolkitOf(session: Session): Toolkit {
  let toolkit = toolkits.get(session)
  if (toolkit === undefined) {
    const { vault, host } = session
    toolkit = {
      log: vault.log(host.log),
      secret: (wanted) => vault.resolve(wanted),
      redact: (text) => vault.text(text),
      host,
    }
    toolkits.set(session, toolkit)
  }
  return toolkit
}
