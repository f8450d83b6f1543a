/** Types of the append-only events: audit trail, live streams and the outbox. `step.*` carry a step id. */
export const eventTypes = [
  'tenant.accepted',
  'tenant.status', // data: { from, to }
  'tenant.details', // data: { displayName?, contactEmail? }, each { from, to }: somebody changed what it is called, or who is written to
  'tenant.tier', // data: { from, to }: past the commit of a change of tier
  'tenant.drift', // data: { change: appeared | changed | gone, is, field, wanted, found, remedy }
  'operation.accepted',
  'operation.requested', // data: { verb, via? }: its run is asked to `retry` or `cancel`; via `temporal`: with Temporal's own tools
  'operation.request-refused', // data: { verb, reason }: the run did not take it
  'operation.state', // data: { from, to, failure?, leftovers?, until?, reason?, by?, requestId? }: of an abandonment, the last three
  'operation.slow', // data: { state, since, waiting: [{ stepId, waitsFor }], reason? }: nothing comes of it
  'step.started', // data: { kind, generation, attempt }
  'step.pending', // data: { detail }: made, readiness is being polled
  'step.ready', // data: { durationMs }
  'step.skipped', // ready already and its inputs are unchanged
  'step.failed', // data: { code, message, detail }
  'step.removing',
  'step.removed', // data: { residues }
  'step.remove-failed', // data: { code, message }
  'tenant.health', // data: { from, to, reason }: from outside; null: no verdict yet, no reason
  'tenant.isolation-requested', // data: { wanted, reason? }: a notice is to answer at its host at once, or not any more
  'tenant.isolated', // data: { reason, arn, priority }: the notice answers
  'tenant.isolation-lifted',
  'tenant.archived', // data: { stepId, bucket, manifest, bytes, rows, tables, exported, expiresAt }: its final dump is whole
  'tenant.archive-removed', // data: { stepId, bucket, manifest }: it has expired
  'mail.queued', // data: { template }
  'mail.sent', // data: { template, messageId }
  'mail.failed', // data: { template, reason }: given up after a day
] as const;
export type EventType = (typeof eventTypes)[number];
