import type { OnFailure } from '../contracts/operation-state.ts';
import type { Settings, TenantMode } from '../contracts/settings.ts';
import type { TenantRow } from '../db/tenants.ts';
import { impossible, productOf } from './desired.ts';
import { invalid } from './invalid-input.ts';
import type {
  ChangeModeInput,
  ChangeTenantInput,
  ClientDeps,
  MigrateTenantInput,
  RotateTenantInput,
  ScaleTenantInput,
} from './requests.ts';
import { refuseSwitchedOff } from './switched-off.ts';

/** Requests that choose a mode. */
export type ModeRequest = 'suspend' | 'resume';

/** What is chosen, and what the request calls each setting. */
export interface Choice {
  /** Merged into what is desired (RFC 7396). */
  readonly patch: Settings;
  readonly fieldOf: (path: readonly string[]) => string;
  readonly onFailure?: OnFailure | undefined;
  /** Which request it came with; `change` by default. */
  readonly request?: 'change' | 'rotate' | 'migrate' | ModeRequest | undefined;
  /** The tier that it is for; the one that the tenant is in by default. */
  readonly tier?: string | undefined;
  /** The mode that it is for; the one that is desired by default. */
  readonly mode?: TenantMode | undefined;
  /** The next credentials are chosen. */
  readonly rotates?: true | undefined;
  readonly reason?: string | undefined;
  /** What steps read outside the blueprint is read anew. */
  readonly refresh?: boolean | undefined;
}

/** Nothing is chosen but the mode. */
export function modeChoice(request: ModeRequest, { reason, onFailure }: ChangeModeInput): Choice {
  const mode = request === 'suspend' ? 'suspended' : 'active';
  return { request, mode, reason, onFailure, patch: {}, fieldOf: (path) => path.join('.') };
}

/** Nothing is chosen but other credentials. */
export function rotationChoice({ reason, onFailure }: RotateTenantInput): Choice {
  return { request: 'rotate', rotates: true, reason, onFailure, patch: {}, fieldOf: (path) => path.join('.') };
}

/** Nothing is chosen but the tier. @throws RequestError INVALID_INPUT for one that the product does not have; FEATURE_DISABLED */
export function tierChoice(
  { catalog, switchedOff }: Pick<ClientDeps, 'catalog' | 'switchedOff'>,
  tenant: TenantRow,
  { tier, reason, onFailure }: MigrateTenantInput,
): Choice {
  refuseSwitchedOff({ switchedOff }, tenant.product);
  const { tiers } = productOf(catalog, tenant);
  if (!tiers.includes(tier)) {
    const problem =
      tiers.length === 0 ? `the product ${tenant.product} has no tiers` : `must be one of ${tiers.join(', ')}`;
    throw invalid([{ field: 'body.tier', problem }]);
  }
  const fieldOf = (path: readonly string[]) => ['settings', ...path].join('.');
  return { request: 'migrate', tier, reason, onFailure, patch: {}, fieldOf };
}

/** @throws RequestError CHANGE_NOT_POSSIBLE for a tier that it is in, or that its product does not bring it to from there */
export function refuseTierChange({ catalog }: Pick<ClientDeps, 'catalog'>, tenant: TenantRow, to: string): void {
  const { product, tier: from } = tenant;
  const { noun, tierChanges, tierNoun = 'tier' } = productOf(catalog, tenant);
  if (tierChanges.some((change) => change.from === from && change.to === to)) return;
  const known = tierChanges.map((change) => `from ${change.from} to ${change.to}`).join(', ') || 'none';
  const problem =
    from === to
      ? `its ${tierNoun} is ${to} already`
      : `the product ${product} has no change of ${tierNoun} from ${from ?? 'none'} to ${to} (it has: ${known})`;
  throw impossible(tenant, [problem], noun, { tier: from, tierChanges });
}

export function choiceOf({
  settings = {},
  settingsAt = ['body', 'settings'],
  refresh,
  onFailure,
}: ChangeTenantInput): Choice {
  return { patch: settings, fieldOf: (path) => [...settingsAt, ...path].join('.'), refresh, onFailure };
}

/** By convention a product has the number of tasks at `services.<component>.count`. @throws RequestError INVALID_INPUT */
export function scalingOf(
  { catalog }: Pick<ClientDeps, 'catalog'>,
  tenant: TenantRow,
  { count, service, onFailure }: ScaleTenantInput,
): Choice {
  const services = Object.keys(productOf(catalog, tenant).templates);
  const name = service ?? (services.length === 1 ? services[0] : undefined);
  if (name === undefined || !services.includes(name)) {
    const problem =
      services.length === 0 ? `the product ${tenant.product} has no services` : `must be one of ${services.join(', ')}`;
    throw invalid([
      { field: 'body.service', problem: name === undefined ? problem.replace('must', 'is required: must') : problem },
    ]);
  }
  const path = ['services', name, 'count'].join('.');
  return {
    patch: { services: { [name]: { count } } },
    fieldOf: (other) => (other.join('.') === path ? 'body.count' : 'body.service'),
    onFailure,
  };
}
