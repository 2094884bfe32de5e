import { z } from "zod"
import { isEntityType } from "./entity.ts"
import { ENTITY_EVENTS, type EventSubscriptionBody } from "./events.ts"
import { where } from "./webhook-schemas.ts"

const LIST_MAX = 64

export const eventSubscriptionBody: z.ZodType<EventSubscriptionBody> = z.strictObject({
  url: z.url().max(2_048),
  secret: z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/, "must name a secret, never be its value"),
  types: z.array(z.string().refine(isEntityType, "must name an entity type")).min(1).max(LIST_MAX).optional(),
  events: z.array(z.enum(ENTITY_EVENTS)).min(1).max(LIST_MAX).optional(),
  collections: z
    .array(z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, "must name a collection"))
    .min(1)
    .max(LIST_MAX)
    .optional(),
  where: where.optional(),
}) as z.ZodType<EventSubscriptionBody>
