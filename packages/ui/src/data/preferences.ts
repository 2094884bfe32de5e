import { filterIn } from "../core/list-filter.ts"
import type { AgentsFilter, SavedView } from "../core/list-filter.ts"
import { createStore } from "./store.ts"
import type { Store } from "./store.ts"

export type Theme = "system" | "light" | "dark"

/** What a person chose about the page, kept in this browser. Without storage it holds until the page is closed. */
export interface Preferences {
  readonly theme: Theme
  readonly logOpen: boolean
  /** Filters of the list of agents, by name. */
  readonly views: readonly SavedView[]
}

const THEME_KEY = "rouse.theme"
const LOG_KEY = "rouse.log"
const VIEWS_KEY = "rouse.views"
const VIEWS_MAX = 30

export const preferences: Store<Preferences> = createStore({
  theme: themeOf(read(THEME_KEY)),
  logOpen: read(LOG_KEY) !== "closed",
  views: viewsOf(read(VIEWS_KEY)),
})

/** Chooses the theme, now and from now on. */
export function chooseTheme(theme: Theme): void {
  preferences.update((value) => ({ ...value, theme }))
  if (theme === "system") delete document.documentElement.dataset["theme"]
  else document.documentElement.dataset["theme"] = theme
  write(THEME_KEY, theme)
}

/** Opens or closes the log beside the timeline. */
export function toggleLog(open: boolean = !preferences.get().logOpen): void {
  preferences.update((value) => ({ ...value, logOpen: open }))
  write(LOG_KEY, open ? "open" : "closed")
}

/** Keeps a filter under a name; one of the same name makes room. */
export function saveView(name: string, filter: AgentsFilter): void {
  keepViews([...preferences.get().views.filter((view) => view.name !== name), { name, filter }].slice(-VIEWS_MAX))
}

export function forgetView(name: string): void {
  keepViews(preferences.get().views.filter((view) => view.name !== name))
}

function keepViews(views: readonly SavedView[]): void {
  preferences.update((value) => ({ ...value, views }))
  write(VIEWS_KEY, JSON.stringify(views))
}

function viewsOf(text: string | null): readonly SavedView[] {
  if (text === null) return []
  try {
    const saved: unknown = JSON.parse(text)
    if (!Array.isArray(saved)) return []
    return saved.flatMap((view: Readonly<Record<string, unknown>> | null): readonly SavedView[] => {
      const { name, filter } = view ?? {}
      if (typeof name !== "string" || typeof filter !== "object" || filter === null) return []
      return [{ name, filter: filterIn(filter as Readonly<Record<string, unknown>>) }]
    })
  } catch (error) {
    console.warn("The saved views could not be read; there are none.", error)
    return []
  }
}

function themeOf(value: string | null): Theme {
  return value === "light" || value === "dark" ? value : "system"
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch (error) {
    console.warn(`${key} could not be read from this browser.`, error)
    return null
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch (error) {
    console.warn(`${key} could not be kept in this browser.`, error)
  }
}
