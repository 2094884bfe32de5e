import type { Item } from "@rouse/client"
import { memo } from "react"
import type { ReactNode } from "react"
import { ChildCard } from "./child-card.tsx"
import { MessageCard } from "./message-card.tsx"
import { ErrorNotice, SignalNotice, WakeNotice } from "./notice-line.tsx"
import { RunEnd } from "./run-end.tsx"
import { StepView } from "./step-view.tsx"

/** An item that did not change is the same object, so it is not drawn again. */
export const ItemView: (props: { readonly item: Item; readonly url: string }) => ReactNode = memo(function ItemView({
  item,
  url,
}) {
  return (
    <article className="item pb-4" data-item={item.kind}>
      {viewOf(item, url)}
    </article>
  )
})

function viewOf(item: Item, url: string): ReactNode {
  switch (item.kind) {
    case "message":
      return <MessageCard row={item.row} url={url} />
    case "step":
      return <StepView step={item} url={url} />
    case "runEnd":
      return <RunEnd item={item} />
    case "child":
      return <ChildCard row={item.row} />
    case "error":
      return <ErrorNotice row={item.row} retried={item.retried} />
    case "wake":
      return <WakeNotice row={item.row} />
    case "signal":
      return <SignalNotice row={item.row} />
  }
}
