import type { WaitingApproval } from "@rouse/protocol"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import type { Io } from "../io.ts"
import { relativeTime } from "../output/relative-time.ts"
import { table } from "../output/table.ts"
import { textOf } from "../output/text.ts"

export interface ApprovalsFlags extends RemoteOptions {
  readonly type?: string
  readonly tool?: string
  readonly for?: string
}

/** How many are shown without `--json`. */
const SHOWN_MAX = 200

/** `rouse approvals`. With `--json`: one a line. */
export async function approvals(flags: ApprovalsFlags, io: Io): Promise<void> {
  const { type, tool } = flags
  const query = {
    ...(type === undefined ? {} : { type }),
    ...(tool === undefined ? {} : { tool }),
    ...(flags.for === undefined ? {} : { for: flags.for }),
  }
  const found: WaitingApproval[] = []
  for await (const waiting of connect(flags, io).approvals(query, { signal: io.stop })) {
    if (flags.json === true) io.out(`${JSON.stringify(waiting)}\n`)
    else if (found.push(waiting) >= SHOWN_MAX) break
  }
  if (flags.json === true) return
  io.out(found.length === 0 ? `${io.color.dim("nothing waits for a person")}\n` : `${waitingTable(found, io)}\n`)
}

function waitingTable(found: readonly WaitingApproval[], io: Io): string {
  const nowMs = io.now()
  return table(
    found,
    [
      { title: "AGENT", cell: ({ entity }) => entity, paint: (text) => io.color.bold(text) },
      { title: "CALL", cell: ({ approval }) => approval.call },
      { title: "TOOL", cell: ({ approval }) => approval.tool },
      { title: "SINCE", cell: ({ approval }) => relativeTime(approval.at, nowMs) },
      {
        title: "UNTIL",
        cell: ({ approval: { deadline } }) => (deadline === undefined ? "" : relativeTime(deadline, nowMs)),
      },
      { title: "WHO", cell: ({ approval }) => whoText(approval) },
      { title: "ASKS", cell: ({ approval }) => approval.question ?? textOf(approval.input) },
    ],
    { columnsMax: io.columns(), paintTitle: (text) => io.color.dim(text) },
  )
}

function whoText({ quorum = 1, from, votes = [] }: WaitingApproval["approval"]): string {
  const count = quorum > 1 ? `${votes.length}/${quorum} ` : ""
  return `${count}${from?.join(", ") ?? "anyone"}`
}
