import type { Json } from "@rouse/protocol"
import { useState } from "react"
import type { ReactNode } from "react"
import { isObject, previewOf } from "../core/json.ts"
import { cn } from "./class-names.ts"

/** How many members of one list or object are shown before the rest are asked for. */
const MEMBERS_SHOWN = 50
const STRING_SHOWN = 1_200

/** A JSON value as a tree. Nothing of it is ever run or rendered as markup. */
export function JsonView({ value, depthOpen = 2 }: { readonly value: Json; readonly depthOpen?: number }): ReactNode {
  return (
    <div className="font-mono text-xs leading-5 break-words whitespace-pre-wrap text-ink">
      <Node value={value} depth={0} depthOpen={depthOpen} />
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
  if (Array.isArray(value) || isObject(value)) return <Branch {...{ name, value, depth, depthOpen }} value={value as Members} />
  return (
    <div className="pl-3.5">
      <Name of={name} />
      <Leaf value={value} />
    </div>
  )
}

type Members = readonly Json[] | { readonly [key: string]: Json | undefined }

function Branch({ name, value, depth, depthOpen }: NodeProps & { readonly value: Members }): ReactNode {
  const [open, setOpen] = useState(depth < depthOpen)
  const [shown, setShown] = useState(MEMBERS_SHOWN)
  const list = Array.isArray(value)
  const members = Object.entries(value)
  const brackets = list ? "[]" : "{}"
  if (members.length === 0) {
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
        <span aria-hidden className={cn("w-3.5 shrink-0 text-center text-ink-3 transition-transform", open && "rotate-90")}>
          ›
        </span>
        <span className="min-w-0 flex-1 truncate">
          <Name of={name} />
          <span className="text-ink-3">
            {open ? `${list ? "list" : "object"} of ${members.length}` : previewOf(value as Json, 120)}
          </span>
        </span>
      </button>
      {open && (
        <div className="ml-[0.4rem] border-l border-line pl-1.5">
          {members.slice(0, shown).map(([key, member]) => (
            <Node key={key} name={key} value={member} depth={depth + 1} depthOpen={depthOpen} />
          ))}
          {members.length > shown && (
            <button type="button" className="ml-3.5 text-accent hover:underline" onClick={() => setShown(shown * 4)}>
              {members.length - shown} more
            </button>
          )}
        </div>
      )}
    </div>
  )
}

function Name({ of }: { readonly of: string | undefined }): ReactNode {
  return of === undefined ? null : <span className="text-ink-2">{of}: </span>
}

function Leaf({ value }: { readonly value: Json | undefined }): ReactNode {
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
