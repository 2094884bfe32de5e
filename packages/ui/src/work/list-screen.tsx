import { useNavigate, useSearch } from "@tanstack/react-router"
import { Fragment, useCallback, useState } from "react"
import type { ReactNode } from "react"
import { Button } from "../components/button.tsx"
import { Select } from "../components/field.tsx"
import { Screen, Told } from "../components/screen.tsx"
import { grouped } from "../core/number.ts"
import { useTypes } from "../data/app.tsx"
import { usePolled } from "../data/polled.ts"
import type { PolledState } from "../data/polled.ts"
import { useRowKeys } from "../shell/row-keys.ts"

/** How many are shown at first, and at most; each time more is asked for it is three times as many. */
const SHOWN = 100
const SHOWN_MAX = 1_000

/** Some of what there is, and whether there is more. */
export interface Listed<T> {
  readonly items: readonly T[]
  readonly more: boolean
}

/** A list over all agents, as it was told last. */
export interface Listing<T> extends PolledState<Listed<T>> {
  readonly reload: () => void
  /** Absent when no more can be shown. */
  readonly showMore?: () => void
}

/** A list that is asked for again and again while it is looked at. @param read Reads so many of its first. Another function reads it anew. */
export function useListing<T>(
  read: (limit: number, signal: AbortSignal) => Promise<Listed<T>>,
  everyMs: number,
): Listing<T> {
  const [limit, setLimit] = useState(SHOWN)
  const load = useCallback((signal: AbortSignal) => read(limit, signal), [read, limit])
  const polled = usePolled(load, everyMs)
  const canGrow = polled.value?.more === true && limit < SHOWN_MAX
  return { ...polled, ...(canGrow && { showMore: () => setLimit(Math.min(SHOWN_MAX, limit * 3)) }) }
}

/** A screen that is one such list: how many there are, each of them, what is said when there is none, and more. */
export function ListScreen<T>(props: {
  readonly title: string
  /** What the list is of, for those who hear it. */
  readonly label: string
  /** What could not be read, as a sentence. */
  readonly failed: string
  readonly listing: Listing<T>
  readonly actions?: ReactNode
  readonly empty: ReactNode
  readonly className?: string
  readonly keyOf: (item: T) => string
  /** A list item. */
  readonly row: (item: T) => ReactNode
  readonly children?: ReactNode
}): ReactNode {
  const { listing, keyOf, row } = props
  const { value, showMore } = listing
  useRowKeys()
  return (
    <Screen
      title={props.title}
      count={value && `${grouped(value.items.length)}${value.more ? "+" : ""}`}
      actions={props.actions}
    >
      <Told of={listing} failed={props.failed}>
        {({ items, more }) => (
          <>
            {items.length === 0 && props.empty}
            <ul aria-label={props.label} className={props.className}>
              {items.map((item) => (
                <Fragment key={keyOf(item)}>{row(item)}</Fragment>
              ))}
            </ul>
            {showMore && (
              <Button tone="ghost" className="mx-auto mt-3 flex" onClick={showMore}>
                Show more
              </Button>
            )}
            {more && !showMore && <p className="pt-3 text-center text-ink-3">There are more than are shown here.</p>}
          </>
        )}
      </Told>
      {props.children}
    </Screen>
  )
}

/** Narrows the screen to agents of one type; its address says which. */
export function TypeFilter(): ReactNode {
  const navigate = useNavigate()
  const { type } = useSearch({ strict: false })
  const types = useTypes() ?? []
  return (
    <Select
      aria-label="Type"
      value={type ?? ""}
      onChange={({ target }) =>
        void navigate({ to: ".", search: target.value ? { type: target.value } : {}, replace: true }).catch(
          console.error,
        )
      }
    >
      <option value="">Any type</option>
      {types.map(({ name }) => (
        <option key={name}>{name}</option>
      ))}
    </Select>
  )
}
