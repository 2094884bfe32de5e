import type { Context, Env as HonoEnv, Hono } from "hono"
import type { Plane } from "../plane.ts"
import { parseBody, parseValue, readText } from "./body.ts"
import type { Asking, Operation, Taking } from "./operations/operation.ts"

type Handler<E extends HonoEnv> = (c: Context<E>) => Response | Promise<Response>

/** Has an operation answered. This is the one way that a route comes to be, so that none is without its description. */
export function mount<E extends HonoEnv>(app: Hono<E>, operation: Operation, handler: Handler<E>): void {
  app.on(operation.method.toUpperCase(), routePath(operation), handler)
}

/** The path as the router writes it: `/v1/types/:name`. */
export function routePath({ path }: Operation): string {
  return path.replace(/\{(\w+)\}/g, ":$1")
}

/**
 * The body of a request: what it says, and its text.
 *
 * @throws {RouseError} `TOO_LARGE`; `BAD_JSON`; `INVALID_ARGS` naming the field.
 */
export async function takeBody<T>(
  plane: Plane,
  c: Context,
  operation: Taking<T>,
  bytesMax: number = plane.limits.bodyBytesMax,
): Promise<{ readonly text: string; readonly body: T }> {
  const text = await readText(c.req.raw, bytesMax)
  return { text, body: parseBody(text, operation.body) }
}

/** The query of a request. @throws {RouseError} `INVALID_ARGS` naming the field, also for one that is not understood. */
export function takeQuery<T>(c: Context, operation: Asking<T>): T {
  return parseValue(c.req.query(), operation.query, "query")
}
