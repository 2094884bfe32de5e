import dagre from "@dagrejs/dagre"
import type { Edge, Node } from "@xyflow/react"
import type { EntitySummary } from "@rouse/protocol"
import type { Tree } from "../data/tree.ts"

export const NODE_WIDTH = 208
export const NODE_HEIGHT = 56

export type AgentNode = Node<{ readonly agent: EntitySummary; readonly here: boolean }, "agent">

/** Where the agents of a tree stand, parents above their children, and the lines between them. */
export function layoutTree(
  { agents, messages }: Tree,
  here: string,
): { readonly nodes: AgentNode[]; readonly edges: Edge[] } {
  const graph = new dagre.graphlib.Graph()
  graph.setGraph({ rankdir: "TB", nodesep: 24, ranksep: 64 })
  graph.setDefaultEdgeLabel(() => ({}))
  const known = new Set(agents.map(({ url }) => url))
  for (const { url } of agents) graph.setNode(url, { width: NODE_WIDTH, height: NODE_HEIGHT })
  const children = agents.filter(({ parent }) => parent !== null && known.has(parent))
  for (const { url, parent } of children) graph.setEdge(parent!, url)
  dagre.layout(graph)
  const nodes = agents.map((agent): AgentNode => {
    const { x, y } = graph.node(agent.url)
    return {
      id: agent.url,
      type: "agent",
      position: { x: x - NODE_WIDTH / 2, y: y - NODE_HEIGHT / 2 },
      data: { agent, here: agent.url === here },
      ariaLabel: `${agent.url}, ${agent.status}`,
      draggable: false,
      connectable: false,
    }
  })
  const below = children.map(({ url, parent }): Edge => ({ id: `${parent} ${url}`, source: parent!, target: url }))
  const wrote = messages
    .filter(({ from }) => known.has(from))
    .map(({ from, to, count }): Edge => ({
      id: `${from} to ${to}`,
      source: from,
      target: to,
      label: String(count),
      animated: false,
      className: "tree-messages",
      ariaLabel: `${count} messages from ${from} to ${to}`,
    }))
  return { nodes, edges: [...below, ...wrote] }
}
