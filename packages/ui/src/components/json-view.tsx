import type { Json } from "@rouse/protocol"
import { useState } from "react"
import type { ReactNode } from "react"
import { isObject, previewOf } from "../core/json.ts"
import { cn } from "./class-names.ts"

/** How many members of one list or object are shown before the rest are asked for. */
const MEMBERS_SHOWN = 50
const STRING_SHOWN = 1_200

/** A JSON value as a tree. Nothing of it is ever run or rendered as markup. */
export function JsonView({ value, depthOpen = 1 }: { readonly value: Json; readonly depthOpen?: number }): ReactNode {
  return (
    <div className="font-mono text-xs leading-5 break-words whitespace-pre-wrap text-ink">
      {isBranch(value) ? <Members of={value} depth={0} depthOpen={depthOpen} /> : <Leaf value={value} />}
    </div>
  )
}

interface NodeProps {
  readonly name?: string | undefined
  readonly value: Json | undefined
  readonly depth: number
  readonly depthOpen: number
}

function Node({ name, value, depth, depthOpen }: NodeProps): ReactNode {
  if (isBranch(value)) return <BranchView {...{ name, depth, depthOpen }} value={value} />
  return (
    <div className="pl-3.5">
      <Name of={name} />
      <Leaf value={value} />
    </div>
  )
}

type Branch = readonly Json[] | { readonly [key: string]: Json | undefined }

function isBranch(value: Json | undefined): value is Branch {
  return Array.isArray(value) || isObject(value)
}

function BranchView({ name, value, depth, depthOpen }: NodeProps & { readonly value: Branch }): ReactNode {
  const [open, setOpen] = useState(depth < depthOpen)
  const list = Array.isArray(value)
  const count = Object.keys(value).length
  const brackets = list ? "[]" : "{}"
  if (count === 0) {
    return (
      <div className="pl-3.5">
        <Name of={name} />
        <span className="text-ink-3">{brackets}</span>
      </div>
    )
  }
  return (
    <div>
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="flex w-full items-baseline rounded text-left hover:bg-hover"
      >
        <span
          aria-hidden
          className={cn("w-3.5 shrink-0 text-center text-ink-3 transition-transform", open && "rotate-90")}
        >
          ›
        </span>
        <span className="min-w-0 flex-1 truncate">
          <Name of={name} />
          <span className="text-ink-3">{open ? `${list ? "list" : "object"} of ${count}` : previewOf(value, 120)}</span>
        </span>
      </button>
      {open && (
        <div className="ml-[0.4rem] border-l border-line pl-1.5">
          <Members of={value} depth={depth + 1} depthOpen={depthOpen} />
        </div>
      )}
    </div>
  )
}

function Members(props: { readonly of: Branch; readonly depth: number; readonly depthOpen: number }): ReactNode {
  const [shown, setShown] = useState(MEMBERS_SHOWN)
  const members = Object.entries(props.of)
  if (members.length === 0) return <span className="pl-3.5 text-ink-3">{Array.isArray(props.of) ? "[]" : "{}"}</span>
  return (
    <>
      {members.slice(0, shown).map(([key, member]) => (
        <Node key={key} name={key} value={member} depth={props.depth} depthOpen={props.depthOpen} />
      ))}
      {members.length > shown && (
        <button type="button" className="ml-3.5 text-accent hover:underline" onClick={() => setShown(shown * 4)}>
          {members.length - shown} more
        </button>
      )}
    </>
  )
}

function Name({ of }: { readonly of: string | undefined }): ReactNode {
  return of === undefined ? null : <span className="text-ink-2">{of}: </span>
}

function Leaf({ value }: { readonly value: Exclude<Json | undefined, Branch> }): ReactNode {
  const [whole, setWhole] = useState(false)
  if (typeof value !== "string") return <span className="text-attention">{String(value)}</span>
  if (value.length <= STRING_SHOWN || whole) return <span className="text-accent">{JSON.stringify(value)}</span>
  return (
    <>
      <span className="text-accent">{JSON.stringify(value.slice(0, STRING_SHOWN))}</span>
      <button type="button" className="ml-1 text-ink-2 underline" onClick={() => setWhole(true)}>
        {value.length - STRING_SHOWN} more characters
      </button>
    </>
  )
}
