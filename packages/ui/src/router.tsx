import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router"
import { AgentsScreen } from "./agents/agents-screen.tsx"
import { Overview } from "./agents/overview.tsx"
import { AppShell } from "./shell/app-shell.tsx"
import { agentSearch, listSearch, spendSearch, typeSearch } from "./core/searches.ts"
import { CrashScreen, NotFoundScreen } from "./shell/wrong-screens.tsx"

const root = createRootRoute({ component: AppShell, notFoundComponent: NotFoundScreen, errorComponent: CrashScreen })

/** The list stays where it is while one agent after another is opened beside it. */
const agents = createRoute({
  getParentRoute: () => root,
  id: "agents",
  validateSearch: listSearch,
  component: AgentsScreen,
})
const overview = createRoute({ getParentRoute: () => agents, path: "/", component: Overview })
const agent = createRoute({
  getParentRoute: () => agents,
  path: "/agents/$type/$id",
  validateSearch: agentSearch,
  component: lazyRouteComponent(() => import("./agent/agent-screen.tsx"), "AgentScreen"),
})
const approvals = createRoute({
  getParentRoute: () => root,
  path: "/approvals",
  validateSearch: typeSearch,
  component: lazyRouteComponent(() => import("./work/approvals-screen.tsx"), "ApprovalsScreen"),
})
const schedules = createRoute({
  getParentRoute: () => root,
  path: "/schedules",
  validateSearch: typeSearch,
  component: lazyRouteComponent(() => import("./work/schedules-screen.tsx"), "SchedulesScreen"),
})
const deadLetters = createRoute({
  getParentRoute: () => root,
  path: "/dead-letters",
  component: lazyRouteComponent(() => import("./work/dead-letters-screen.tsx"), "DeadLettersScreen"),
})
const spend = createRoute({
  getParentRoute: () => root,
  path: "/spend",
  validateSearch: spendSearch,
  component: lazyRouteComponent(() => import("./spend/spend-screen.tsx"), "SpendScreen"),
})
const types = createRoute({
  getParentRoute: () => root,
  path: "/types",
  component: lazyRouteComponent(() => import("./types/types-screen.tsx"), "TypesScreen"),
})
const webhooks = createRoute({
  getParentRoute: () => root,
  path: "/webhooks",
  component: lazyRouteComponent(() => import("./settings/sources-screen.tsx"), "SourcesScreen"),
})
const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  component: lazyRouteComponent(() => import("./settings/settings-screen.tsx"), "SettingsScreen"),
})

export const router = createRouter({
  routeTree: root.addChildren([
    agents.addChildren([overview, agent]),
    approvals,
    schedules,
    deadLetters,
    spend,
    types,
    webhooks,
    settings,
  ]),
  defaultPreload: "intent",
})

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router
  }
}
