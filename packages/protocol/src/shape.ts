/**
 * What a program knows of an entity type when it is compiled: types alone, nothing of it exists when it runs.
 *
 * @see docs/client.md
 */
export interface EntityShape {
  readonly name: string
  /** What it is spawned with. */
  readonly args: unknown
  /** What its inbox takes from people and apps. */
  readonly message: unknown
  /** The rows of the author's collections. */
  readonly rows: object
}

/** Carries a shape in its type. */
export interface Shaped<S extends EntityShape = EntityShape> {
  /** Never there. */
  readonly "~shape"?: S
}
