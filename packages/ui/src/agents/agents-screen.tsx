import { Outlet, useMatchRoute } from "@tanstack/react-router"
import type { ReactNode } from "react"
import { cn } from "../components/class-names.ts"
import { AgentsPanel } from "./agents-panel.tsx"

/** The list, and beside it the agent that is open. On a phone, one of the two. */
export function AgentsScreen(): ReactNode {
  const match = useMatchRoute()
  const open = match({ to: "/agents/$type/$id" }) !== false
  return (
    <div className="flex h-full">
      <AgentsPanel
        className={cn(
          "w-full md:w-70 min-[1280px]:w-80 min-[1800px]:w-96 md:border-r md:border-line",
          open ? "hidden md:flex" : "flex",
        )}
      />
      <div className={cn("min-w-0 flex-1 flex-col", open ? "flex" : "hidden md:flex")}>
        <Outlet />
      </div>
    </div>
  )
}
