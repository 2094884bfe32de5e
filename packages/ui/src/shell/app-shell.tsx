import { Outlet, useMatchRoute, useNavigate } from "@tanstack/react-router"
import { Tooltip } from "radix-ui"
import { lazy, Suspense } from "react"
import type { ReactNode } from "react"
import { useApp } from "../data/app.tsx"
import { toggleLog } from "../data/preferences.ts"
import { useStore } from "../data/store.ts"
import { ConnectionBanner } from "./connection-banner.tsx"
import { useGoKeys } from "./go-keys.ts"
import { MobileTabs, NavRail } from "./nav.tsx"
import { Notices } from "./notices.tsx"
import { closeOverlay, openNewAgent, overlay } from "./overlays.ts"
import { focusShortcut, useShortcuts } from "./shortcuts.ts"
import { TokenScreen } from "./token-screen.tsx"

const HelpDialog = lazy(() => import("./help-dialog.tsx"))
const CommandPalette = lazy(() => import("./command-palette.tsx"))
const NewAgentDialog = lazy(() => import("../agents/new-agent-dialog.tsx"))

/** The frame that every screen is in. */
export function AppShell(): ReactNode {
  const connection = useStore(useApp().connection)
  return (
    <Tooltip.Provider delayDuration={350} skipDelayDuration={150}>
      {connection === "refused" ? <TokenScreen /> : <Frame />}
      <Notices />
    </Tooltip.Provider>
  )
}

function Frame(): ReactNode {
  const match = useMatchRoute()
  const onAgent = match({ to: "/agents/$type/$id" }) !== false
  usePageShortcuts()
  useGoKeys()
  return (
    <div className="grid h-dvh grid-cols-1 grid-rows-[auto_minmax(0,1fr)_auto] sm:grid-cols-[auto_minmax(0,1fr)]">
      <a
        href="#main"
        className="fixed top-2 left-2 z-50 -translate-y-16 rounded-md bg-ink px-3 py-2 text-sm text-canvas focus:translate-y-0"
      >
        Skip to the content
      </a>
      <ConnectionBanner />
      <NavRail />
      <main id="main" tabIndex={-1} className="min-h-0 min-w-0 outline-none">
        <Outlet />
      </main>
      {!onAgent && <MobileTabs />}
      <Overlays />
    </div>
  )
}

function Overlays(): ReactNode {
  const open = useStore(overlay)
  return (
    <Suspense>
      {open?.kind === "help" && <HelpDialog onOpenChange={closeOverlay} />}
      {open?.kind === "palette" && <CommandPalette onOpenChange={closeOverlay} />}
      {open?.kind === "new-agent" && <NewAgentDialog type={open.type} onOpenChange={closeOverlay} />}
    </Suspense>
  )
}

function usePageShortcuts(): void {
  const navigate = useNavigate()
  useShortcuts({
    "?": () => overlay.set({ kind: "help" }),
    "mod+k": () => overlay.set({ kind: "palette" }),
    n: () => openNewAgent(),
    l: () => toggleLog(),
    c: () => focusShortcut("composer"),
    "/": () => {
      if (!focusShortcut("search")) navigate({ to: "/" }).then(() => focusShortcut("search"), console.error)
    },
  })
}
