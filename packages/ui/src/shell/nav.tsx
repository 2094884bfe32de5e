import { Link, useLocation } from "@tanstack/react-router"
import { CircleHelp, Ellipsis, Monitor, Moon, Sun } from "lucide-react"
import { DropdownMenu } from "radix-ui"
import type { ReactNode } from "react"
import { IconButton } from "../components/button.tsx"
import { Mark, Wordmark } from "../components/wordmark.tsx"
import { MENU, MENU_ITEM } from "../components/menu.ts"
import { Tip } from "../components/tip.tsx"
import { useApp } from "../data/app.tsx"
import { chooseTheme, preferences } from "../data/preferences.ts"
import type { Theme } from "../data/preferences.ts"
import { useSelected, useStore } from "../data/store.ts"
import { overlay } from "./overlays.ts"
import { isAt, PLACES } from "./places.ts"
import type { Place } from "./places.ts"
import { WaitingCount } from "./waiting-count.tsx"

/** Where one can go: at the left of a desk, in words where there is room for them. */
export function NavRail(): ReactNode {
  const version = useSelected(useApp().info, (info) => info?.version)
  return (
    <nav
      aria-label="Main"
      className="hidden w-13 flex-col items-center border-r border-line bg-canvas py-2.5 sm:flex min-[1800px]:w-48 min-[1800px]:items-stretch min-[1800px]:px-2.5"
    >
      <Link to="/" aria-label="Rouse, all agents" className="mb-3 flex h-9 items-center rounded-md px-1.5">
        <Mark className="min-[1800px]:hidden" />
        <span className="hidden min-[1800px]:inline-flex">
          <Wordmark />
        </span>
      </Link>
      <ul className="flex flex-col gap-0.5">
        {PLACES.map((place) => (
          <li key={place.to}>
            <RailLink place={place} />
          </li>
        ))}
      </ul>
      <div className="mt-auto flex flex-col items-center gap-0.5 min-[1800px]:flex-row">
        <ThemeMenu side="right" />
        <IconButton label="Keys" keys={["?"]} onClick={() => overlay.set({ kind: "help" })}>
          <CircleHelp className="size-4" />
        </IconButton>
        <span className="hidden pl-1 text-xs text-ink-3 min-[1800px]:inline">{version && `v${version}`}</span>
      </div>
    </nav>
  )
}

function RailLink({ place }: { readonly place: Place }): ReactNode {
  const path = useLocation({ select: ({ pathname }) => pathname })
  const { to, label, icon: Icon, key } = place
  return (
    <Tip label={label} keys={["g", key]} side="right">
      <Link
        to={to}
        data-here={isAt(to, path) || undefined}
        className="relative flex h-9 w-9 items-center justify-center gap-2.5 rounded-md text-sm font-medium text-ink-3 transition-colors hover:bg-hover hover:text-ink data-here:bg-selected data-here:text-ink min-[1800px]:w-full min-[1800px]:justify-start min-[1800px]:px-2.5"
      >
        <Icon className="size-4.5" strokeWidth={1.75} />
        <span className="sr-only min-[1800px]:not-sr-only">{label}</span>
        {to === "/approvals" && (
          <span className="absolute -top-0.5 -right-0.5 min-[1800px]:static min-[1800px]:ml-auto">
            <WaitingCount />
          </span>
        )}
      </Link>
    </Tip>
  )
}

const TABS = 4
const TAB =
  "relative flex h-13 flex-1 flex-col items-center justify-center gap-0.5 text-2xs font-medium text-ink-3 -outline-offset-2 data-here:text-ink"

/** The same at the bottom of a phone. */
export function MobileTabs(): ReactNode {
  const path = useLocation({ select: ({ pathname }) => pathname })
  const rest = PLACES.slice(TABS)
  return (
    <nav aria-label="Main" className="flex border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] sm:hidden">
      {PLACES.slice(0, TABS).map(({ to, label, icon: Icon }) => (
        <Link key={to} to={to} data-here={isAt(to, path) || undefined} className={TAB}>
          <Icon className="size-5" strokeWidth={1.75} />
          {label}
          {to === "/approvals" && (
            <span className="absolute top-0.5 left-[calc(50%+0.5rem)]">
              <WaitingCount />
            </span>
          )}
        </Link>
      ))}
      <DropdownMenu.Root>
        <DropdownMenu.Trigger className={TAB} data-here={rest.some(({ to }) => isAt(to, path)) || undefined}>
          <Ellipsis className="size-5" strokeWidth={1.75} />
          More
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content side="top" align="end" sideOffset={6} className={MENU}>
            {rest.map(({ to, label, icon: Icon }) => (
              <DropdownMenu.Item key={to} asChild>
                <Link to={to} className={`${MENU_ITEM} h-10`}>
                  <Icon className="size-4 text-ink-3" />
                  {label}
                </Link>
              </DropdownMenu.Item>
            ))}
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
    </nav>
  )
}

const THEMES = [
  { theme: "system", label: "As the system", icon: Monitor },
  { theme: "light", label: "Light", icon: Sun },
  { theme: "dark", label: "Dark", icon: Moon },
] as const

export function ThemeMenu({ side }: { readonly side: "right" | "bottom" }): ReactNode {
  const { theme } = useStore(preferences)
  const Icon = THEMES.find((choice) => choice.theme === theme)!.icon
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger asChild>
        <button
          type="button"
          aria-label="Theme"
          className="control inline-flex aspect-square items-center justify-center rounded-md text-ink-2 hover:bg-hover hover:text-ink"
        >
          <Icon className="size-4" />
        </button>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content side={side} align="end" sideOffset={6} className={MENU}>
          <DropdownMenu.RadioGroup value={theme} onValueChange={(value) => chooseTheme(value as Theme)}>
            {THEMES.map(({ theme: value, label, icon: Item }) => (
              <DropdownMenu.RadioItem key={value} value={value} className={MENU_ITEM}>
                <Item className="size-4 text-ink-3" />
                {label}
                <DropdownMenu.ItemIndicator className="ml-auto size-1.5 rounded-full bg-accent" />
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}
