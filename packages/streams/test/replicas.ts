import type { StreamsOptions } from "@rouse/streams"
import { openBalancer } from "@rouse/testkit/balancer"
import { postgresStores, sharedPostgres } from "@rouse/testkit/postgres"
import { serveStreams } from "./serve.ts"

export interface Replicas {
  /** Of the only server, or of a load balancer that picks at random. Without a slash at its end. */
  readonly url: string
  close(): Promise<void>
}

/** Several servers on one fresh database. */
export async function serveReplicas(count: number, options: Partial<StreamsOptions>): Promise<Replicas> {
  const shared = await sharedPostgres()
  const stores = postgresStores(shared)
  const first = await stores.open({ clock: Date.now })
  const all = [first.store]
  while (all.length < count) all.push(await first.beside())
  const servers = await Promise.all(all.map((store) => serveStreams({ ...options, store })))
  const urls = servers.map(({ url }) => url)
  const balancer = await openBalancer(urls, Math.random)
  const close = async (): Promise<void> => {
    await balancer.close()
    await Promise.all(servers.map((server) => server.close()))
    await stores.close()
    await shared.close()
  }
  const [only = ""] = urls
  return { url: count === 1 ? only : balancer.url, close }
}
