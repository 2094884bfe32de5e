import { Boxes, CalendarClock, ChartColumnStacked, MailX, Settings, Stamp, UsersRound, Webhook } from "lucide-react"

/** Where one can go. `key` goes there after g; a phone shows the first few, and the rest in a menu. */
export const PLACES = [
  { to: "/", label: "Agents", icon: UsersRound, key: "a" },
  { to: "/approvals", label: "Approvals", icon: Stamp, key: "p" },
  { to: "/dead-letters", label: "Dead letters", icon: MailX, key: "d" },
  { to: "/spend", label: "Spend", icon: ChartColumnStacked, key: "s" },
  { to: "/schedules", label: "Schedules", icon: CalendarClock, key: "c" },
  { to: "/types", label: "Types", icon: Boxes, key: "t" },
  { to: "/webhooks", label: "Webhooks", icon: Webhook, key: "w" },
  { to: "/settings", label: "Settings", icon: Settings, key: "," },
] as const

export type Place = (typeof PLACES)[number]

/** Whether a place is where one is. An agent is among the agents. */
export function isAt(place: string, path: string): boolean {
  return place === "/" ? path === "/" || path.startsWith("/agents/") : path === place
}
