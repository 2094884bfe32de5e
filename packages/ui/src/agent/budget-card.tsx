import type { ApprovalRow, BudgetRequest, Resource } from "@rouse/protocol"
import type { ReactNode } from "react"
import { grouped } from "../core/number.ts"
import { ApprovalForm } from "./approval-form.tsx"

/** What is asked of a person when a budget is used up: below all that happened, since it is what the agent waits for. */
export function BudgetCards(props: {
  readonly approvals: Readonly<Record<string, ApprovalRow>>
  readonly url: string
}): ReactNode {
  const asked = Object.entries(props.approvals).filter(([, row]) => row.kind === "budget")
  return asked.map(([key, row]) => (
    <section key={key} aria-label="Budget" className="mb-4 overflow-hidden rounded-lg border border-attention-line">
      <p className="px-3 py-2.5">{textOf(row.input as unknown as BudgetRequest)}</p>
      <ApprovalForm url={props.url} call={key} question={questionOf(row.input as unknown as BudgetRequest)} />
    </section>
  ))
}

function textOf({ exhausted, spent, limits }: BudgetRequest): string {
  const used = exhausted.map((name) => `${amount(name, spent[name])} of ${amount(name, limits[name] ?? 0)}`)
  return `Its budget does not cover the next call of the model: ${used.join(", ")} used.`
}

function questionOf({ extend }: BudgetRequest): string {
  const more = Object.entries(extend).map(([name, value]) => amount(name as Resource, value ?? 0))
  return `Allow ${more.join(" and ")} more?`
}

const UNITS: Readonly<Record<Exclude<Resource, "usd">, string>> = {
  tokens: "tokens",
  steps: "steps",
  toolCalls: "tool calls",
  wallMs: "ms",
}

function amount(name: Resource, value: number): string {
  return name === "usd" ? `$${Number(value.toPrecision(3))}` : `${grouped(value)} ${UNITS[name]}`
}
