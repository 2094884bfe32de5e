import { createStore } from "./store.ts"
import type { Store } from "./store.ts"

export type Theme = "system" | "light" | "dark"

/** What a person chose about the page, kept in this browser. Without storage it holds until the page is closed. */
export interface Preferences {
  readonly theme: Theme
  readonly logOpen: boolean
}

const THEME_KEY = "rouse.theme"
const LOG_KEY = "rouse.log"

export const preferences: Store<Preferences> = createStore({
  theme: themeOf(read(THEME_KEY)),
  logOpen: read(LOG_KEY) !== "closed",
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
