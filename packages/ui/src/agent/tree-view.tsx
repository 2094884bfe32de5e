import { Background, Controls, Handle, Position, ReactFlow } from "@xyflow/react"
import "@xyflow/react/dist/style.css"
import type { NodeProps } from "@xyflow/react"
import { useNavigate } from "@tanstack/react-router"
import { useCallback, useMemo } from "react"
import type { ReactNode } from "react"
import { cn } from "../components/class-names.ts"
import { Told } from "../components/screen.tsx"
import { StatusGlyph } from "../components/status-glyph.tsx"
import { STATUSES } from "../core/status.ts"
import { counted } from "../core/number.ts"
import { useApp } from "../data/app.tsx"
import { usePolled } from "../data/polled.ts"
import { readTree } from "../data/tree.ts"
import type { Tree } from "../data/tree.ts"
import { layoutTree, NODE_HEIGHT, NODE_WIDTH } from "./tree-layout.ts"
import type { AgentNode } from "./tree-layout.ts"

const EVERY_MS = 4_000

/** The tree that the agent is in, and who writes to whom in it. */
export default function TreeView({ url }: { readonly url: string }): ReactNode {
  const { client } = useApp()
  const load = useCallback((signal: AbortSignal) => readTree(client, url, signal), [client, url])
  const tree = usePolled(load, EVERY_MS)
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <Told of={tree} failed="The tree could not be read">
        {(told) => <Graph tree={told} url={url} />}
      </Told>
    </div>
  )
}

const NODE_TYPES = { agent: AgentBox }

function Graph({ tree, url }: { readonly tree: Tree; readonly url: string }): ReactNode {
  const navigate = useNavigate()
  const { nodes, edges } = useMemo(() => layoutTree(tree, url), [tree, url])
  const open = (node: AgentNode): void =>
    void navigate({
      to: "/agents/$type/$id",
      params: { type: node.data.agent.type, id: node.data.agent.id },
      search: { view: "tree" },
    }).catch(console.error)
  return (
    <>
      <p className="shrink-0 border-b border-line px-4 py-2 text-xs text-ink-3">
        {counted(tree.agents.length, "agent")}
        {tree.more && ", of more"}. A dashed line says how many messages one has of another.
      </p>
      <div className="min-h-0 flex-1">
        <ReactFlow
          aria-label="Tree of agents"
          nodes={nodes}
          edges={edges}
          nodeTypes={NODE_TYPES}
          nodesConnectable={false}
          elementsSelectable={false}
          nodesFocusable
          edgesFocusable={false}
          onNodeClick={(_, node) => open(node)}
          fitView
          fitViewOptions={{ maxZoom: 1.1, padding: 0.15 }}
          minZoom={0.1}
          proOptions={{ hideAttribution: true }}
        >
          <Background gap={24} size={1} color="var(--line)" />
          <Controls showInteractive={false} />
        </ReactFlow>
      </div>
    </>
  )
}

function AgentBox({ data: { agent, here } }: NodeProps<AgentNode>): ReactNode {
  return (
    <div
      style={{ width: NODE_WIDTH, height: NODE_HEIGHT }}
      className={cn(
        "flex cursor-pointer flex-col justify-center rounded-lg border bg-surface px-3 text-left text-sm",
        here ? "border-accent" : "border-line-strong hover:border-ink-3",
      )}
    >
      <Handle type="target" position={Position.Top} isConnectable={false} className="invisible" />
      <span className="flex min-w-0 items-center gap-1.5">
        <StatusGlyph status={agent.status} />
        <span className="truncate">
          <span className="text-ink-3">{agent.type}/</span>
          <span className="font-medium">{agent.id}</span>
        </span>
      </span>
      <span className="truncate pl-5 text-xs text-ink-3">{agent.reason ?? STATUSES[agent.status].label}</span>
      <Handle type="source" position={Position.Bottom} isConnectable={false} className="invisible" />
    </div>
  )
}
