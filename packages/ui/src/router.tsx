import { createRootRoute, createRoute, createRouter } from "@tanstack/react-router"
import { AgentScreen } from "./agent/agent-screen.tsx"
import { AgentsScreen } from "./agents/agents-screen.tsx"
import { Overview } from "./agents/overview.tsx"
import { AppShell } from "./shell/app-shell.tsx"
import { CrashScreen, NotFoundScreen } from "./shell/wrong-screens.tsx"
import { TypesScreen } from "./types/types-screen.tsx"

const root = createRootRoute({ component: AppShell, notFoundComponent: NotFoundScreen, errorComponent: CrashScreen })

/** The list stays where it is while one agent after another is opened beside it. */
const agents = createRoute({ getParentRoute: () => root, id: "agents", component: AgentsScreen })
const overview = createRoute({ getParentRoute: () => agents, path: "/", component: Overview })
const agent = createRoute({ getParentRoute: () => agents, path: "/agents/$type/$id", component: AgentScreen })
const types = createRoute({ getParentRoute: () => root, path: "/types", component: TypesScreen })

export const router = createRouter({
  routeTree: root.addChildren([agents.addChildren([overview, agent]), types]),
  defaultPreload: false,
})

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router
  }
}
