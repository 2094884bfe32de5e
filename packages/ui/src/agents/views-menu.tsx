import { Bookmark, BookmarkPlus, Trash2 } from "lucide-react"
import { DropdownMenu } from "radix-ui"
import { useState } from "react"
import type { ReactNode } from "react"
import { MENU, MENU_ITEM } from "../components/menu.ts"
import { SchemaDialog } from "../components/schema-dialog.tsx"
import { COMMON_VIEWS, isNarrowed, isSameFilter } from "../core/list-filter.ts"
import { forgetView, preferences, saveView } from "../data/preferences.ts"
import { useSelected } from "../data/store.ts"
import type { FiltersProps } from "./filters.tsx"

const NAME = {
  type: "object",
  properties: { name: { type: "string", description: "It is kept in this browser" } },
  required: ["name"],
} as const

/** Filters by name: those that everybody has, and one's own. */
export function ViewsMenu({ filter, setFilter }: FiltersProps): ReactNode {
  const views = useSelected(preferences, (value) => value.views)
  const [saving, setSaving] = useState(false)
  const own = views.find((view) => isSameFilter(view.filter, filter))
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger
        aria-label="Views"
        className="control inline-flex aspect-square shrink-0 items-center justify-center rounded-md border border-line-strong bg-surface text-ink-2 hover:bg-hover hover:text-ink"
      >
        <Bookmark className="size-4" />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content align="end" sideOffset={6} className={`${MENU} max-h-96 overflow-auto`}>
          {[...COMMON_VIEWS, ...views].map((view) => (
            <DropdownMenu.Item key={view.name} onSelect={() => setFilter(view.filter)} className={MENU_ITEM}>
              <span className="max-w-56 truncate">{view.name}</span>
              {isSameFilter(view.filter, filter) && <span className="ml-auto size-1.5 rounded-full bg-accent" />}
            </DropdownMenu.Item>
          ))}
          <DropdownMenu.Separator className="my-1 h-px bg-line" />
          <DropdownMenu.Item disabled={!isNarrowed(filter)} onSelect={() => setSaving(true)} className={MENU_ITEM}>
            <BookmarkPlus className="size-4 text-ink-3" />
            Save this view…
          </DropdownMenu.Item>
          {own && (
            <DropdownMenu.Item onSelect={() => forgetView(own.name)} className={MENU_ITEM}>
              <Trash2 className="size-4 text-ink-3" />
              Forget {own.name}
            </DropdownMenu.Item>
          )}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
      {saving && (
        <SchemaDialog
          title="Save this view"
          description="What the list is narrowed to now, under a name."
          schema={NAME}
          yes="Save"
          close={() => setSaving(false)}
          submit={(value) => Promise.resolve(saveView((value as { readonly name: string }).name, filter))}
        />
      )}
    </DropdownMenu.Root>
  )
}
