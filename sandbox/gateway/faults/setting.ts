import { z } from 'zod';
import { quotaNames, type LimitsSetting } from '../limits/limits.ts';

export type { LimitsSetting } from '../limits/limits.ts';

/** Which calls are meant: all given fields must match, an absent one matches any. */
export interface CallMatch {
  /** SigV4 name: `ecs`, `elasticloadbalancing`, `route53`, `secretsmanager`, `logs`, `ses`. */
  readonly service?: string | undefined;
  readonly action?: string | undefined;
  readonly kind?: 'read' | 'change' | undefined;
  readonly app?: string | undefined;
  readonly operationId?: string | undefined;
  readonly stepId?: string | undefined;
  readonly verb?: string | undefined;
  /** Text that the call's path or body contains, as sent or URL-decoded: a slug, a name, an ARN. */
  readonly contains?: string | undefined;
}

/** What can befall a call. */
export type Fault =
  /**
   * An error in the wire shape of the service, before or after the effect. Status by default: 500 for `Internal...` and
   * `Server...`, 503 for `...Unavailable...`, 429 for `TooManyRequests...`, else 400.
   */
  | {
      readonly type: 'error';
      readonly when: 'before' | 'after';
      readonly code: string;
      readonly status?: number | undefined;
      readonly message?: string | undefined;
    }
  /** The connection is destroyed without an answer, before or after the effect. */
  | { readonly type: 'cut'; readonly when: 'before' | 'after' }
  /**
   * Never answered: the connection stays open until the caller gives up. The effect happens that long after the call
   * came, whether or not the caller is still there.
   */
  | { readonly type: 'late'; readonly effectAfterMs: number }
  /** The effect happens at once, the answer comes that much later. */
  | { readonly type: 'slow'; readonly delayMs: number }
  /** The service's own throttling error, before the effect. */
  | { readonly type: 'throttle' }
  /**
   * Reads see a state from before a change until `forMs` after it: an older answer to the same read, or absence of what
   * was made. Whose changes, and which reads:
   * - a match that names reads (`kind: 'read'`, or an `action` that is one): those reads, after any change in the same
   *   account, region and service (of the same operation, where the match names one);
   * - any other match names the changes: after them every read of the same account, region and service that speaks of
   *   the thing changed, by whomever.
   *
   * Hits (and with them `times` and `skip`) count answers that differ from the fresh one, not changes.
   */
  | { readonly type: 'stale'; readonly forMs: number }
  /**
   * Held, before or after the effect, until released by the control surface or given up by the caller; a caller that
   * gives up (or is killed) before the effect has none.
   */
  | { readonly type: 'park'; readonly when: 'before' | 'after' };

export type FaultType = Fault['type'];

export interface FaultRule {
  /** Chosen by the gateway when absent. */
  readonly id?: string | undefined;
  readonly match: CallMatch;
  readonly fault: Fault;
  /** Matching calls that pass before the first hit; 0 by default. */
  readonly skip?: number | undefined;
  /** Hits; 1 by default, null for always. */
  readonly times?: number | null | undefined;
}

/**
 * Random faults. Which call is struck is decided by a hash of seed, service, action, what the call is for (its step and
 * verb in the n-th operation that was seen, or the resource it names), and how many such calls there were: the order in
 * which calls of different steps arrive does not matter.
 */
export interface Turbulence {
  readonly seed: number;
  /** Share of calls struck, 0 to 1, by type of fault; what is given replaces the default of that type. `stale` is a share of changes. */
  readonly rates?: Readonly<Partial<Record<FaultType, number>>> | undefined;
  /** Only these calls. */
  readonly match?: CallMatch | undefined;
  /** Also calls that no step made (a doctor, an oracle, a seed, a mail); never by default. */
  readonly everyCaller?: boolean | undefined;
}

/** Each part that is given replaces the one before; null clears it. */
export interface FaultSetting {
  readonly rules?: readonly FaultRule[] | null | undefined;
  readonly turbulence?: Turbulence | null | undefined;
  readonly limits?: LimitsSetting | null | undefined;
}

const when = z.enum(['before', 'after']);
const durationMs = z.number().min(0).max(3_600_000);
const share = z.number().min(0).max(1);

const callMatch = z
  .strictObject({
    service: z.string(),
    action: z.string(),
    kind: z.enum(['read', 'change']),
    app: z.string(),
    operationId: z.string(),
    stepId: z.string(),
    verb: z.string(),
    contains: z.string(),
  })
  .partial();

const fault = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('error'),
    when,
    code: z.string().min(1),
    status: z.int().min(400).max(599).optional(),
    message: z.string().optional(),
  }),
  z.strictObject({ type: z.literal('cut'), when }),
  z.strictObject({ type: z.literal('late'), effectAfterMs: durationMs }),
  z.strictObject({ type: z.literal('slow'), delayMs: durationMs }),
  z.strictObject({ type: z.literal('throttle') }),
  z.strictObject({ type: z.literal('stale'), forMs: durationMs }),
  z.strictObject({ type: z.literal('park'), when }),
]);

/** A fault rule as it comes over the wire. */
export const faultRuleSchema: z.ZodType<FaultRule> = z.strictObject({
  id: z.string().min(1).max(100).optional(),
  match: callMatch,
  fault,
  skip: z.int().min(0).optional(),
  times: z.int().min(1).nullable().optional(),
});

/** Which faults to inject, as it comes over the wire. */
export const faultSettingSchema: z.ZodType<FaultSetting> = z.strictObject({
  rules: z.array(faultRuleSchema).nullable().optional(),
  turbulence: z
    .strictObject({
      seed: z.int(),
      rates: z
        .strictObject({
          error: share,
          cut: share,
          late: share,
          slow: share,
          throttle: share,
          stale: share,
          park: z.literal(0),
        })
        .partial()
        .optional(),
      match: callMatch.optional(),
      everyCaller: z.boolean().optional(),
    })
    .nullable()
    .optional(),
  limits: z
    .strictObject({
      factor: z.number().positive(),
      quotas: z.partialRecord(z.enum(quotaNames), z.int().min(0)).optional(),
    })
    .nullable()
    .optional(),
});
