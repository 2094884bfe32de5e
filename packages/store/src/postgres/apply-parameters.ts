/** What a group of commits tells the database: each is a list of rows as JSON text, with the part `c` of the group that a row belongs to. */
const PARAMETERS = [
  "k_stream",
  "k_entity",
  "k_place",
  "k_timer",
  "k_receipt",
  "k_work",
  "k_subscription",
  "k_pin",
  "k_observation",
  "k_observer",
  "k_observing",
  "w_place",
  "w_stream_drop",
  "w_stream_new",
  "w_stream",
  "w_chunk",
  "w_producer",
  "w_entity_drop",
  "w_timer_gone",
  "w_work_gone",
  "w_entity",
  "w_seq",
  "w_tag",
  "w_row_drop",
  "w_row",
  "w_timer_drop",
  "w_timer",
  "w_work_drop",
  "w_work",
  "w_receipt",
  "w_retention",
  "w_subscription",
  "w_observation_drop",
  "w_observation",
  "w_observation_mark",
  "w_space_drop",
  "w_space",
  "w_space_row_drop",
  "w_space_row",
  "w_space_claim",
  "w_queue_drop",
  "w_queue",
] as const

export type ApplyParameter = (typeof PARAMETERS)[number]

export const APPLY_PARAMETERS: readonly ApplyParameter[] = PARAMETERS

export const from = (name: ApplyParameter, columns: string): string =>
  `json_to_recordset(${name}::json) AS w(c int4, ${columns})`
/** A row of a part that is done. */
export const live = "w.c <> ALL (stale)"
