import { Link, useLocation } from "@tanstack/react-router"
import { Boxes, CircleHelp, Monitor, Moon, Sun, UsersRound } from "lucide-react"
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

const PLACES = [
  { to: "/", label: "Agents", icon: UsersRound },
  { to: "/types", label: "Types", icon: Boxes },
] as const

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
            <RailLink {...place} />
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

/** Whether a place is where one is. An agent is among the agents. */
function useIsAt(): (to: string) => boolean {
  const path = useLocation({ select: ({ pathname }) => pathname })
  return (to) => (to === "/" ? path === "/" || path.startsWith("/agents/") : path === to)
}

function RailLink({ to, label, icon: Icon }: (typeof PLACES)[number]): ReactNode {
  const isAt = useIsAt()
  return (
    <Tip label={label} side="right">
      <Link
        to={to}
        aria-label={label}
        data-here={isAt(to) || undefined}
        className="flex h-9 w-9 items-center justify-center gap-2.5 rounded-md text-sm font-medium text-ink-3 transition-colors hover:bg-hover hover:text-ink data-here:bg-selected data-here:text-ink min-[1800px]:w-full min-[1800px]:justify-start min-[1800px]:px-2.5"
      >
        <Icon className="size-4.5" strokeWidth={1.75} />
        <span className="hidden min-[1800px]:inline">{label}</span>
      </Link>
    </Tip>
  )
}

/** The same at the bottom of a phone. */
export function MobileTabs(): ReactNode {
  return (
    <nav aria-label="Main" className="flex border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] sm:hidden">
      {PLACES.map(({ to, label, icon: Icon }) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ exact: true }}
          className="flex h-13 flex-1 flex-col items-center justify-center gap-0.5 text-2xs font-medium text-ink-3 aria-[current=page]:text-ink"
        >
          <Icon className="size-5" strokeWidth={1.75} />
          {label}
        </Link>
      ))}
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
