import { Link } from "@tanstack/react-router"
import { Compass, TriangleAlert } from "lucide-react"
import type { ReactNode } from "react"
import { Button } from "../components/button.tsx"
import { EmptyState } from "../components/empty-state.tsx"
import { sentenceOf } from "../core/errors.ts"

export function NotFoundScreen(): ReactNode {
  return (
    <div className="grid h-full place-items-center">
      <EmptyState icon={<Compass className="size-6" />} title="There is no such page">
        <Link to="/" className="text-accent underline underline-offset-2">
          All agents
        </Link>
      </EmptyState>
    </div>
  )
}

/** The page made a mistake. What the agents do goes on without it. */
export function CrashScreen({ error }: { readonly error: unknown }): ReactNode {
  return (
    <div className="grid h-dvh place-items-center bg-canvas">
      <EmptyState
        icon={<TriangleAlert className="size-6" />}
        title="This page made a mistake"
        action={
          <Button tone="solid" onClick={() => location.reload()}>
            Load it again
          </Button>
        }
      >
        {sentenceOf(error)} The agents are not affected.
      </EmptyState>
    </div>
  )
}
