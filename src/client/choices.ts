import type { OnFailure } from '../contracts/operation-state.ts';
import type { Settings, TenantMode } from '../contracts/settings.ts';
import type { TenantRow } from '../db/tenants.ts';
import { productOf } from './desired.ts';
import { invalid } from './invalid-input.ts';
import type {
  ChangeModeInput,
  ChangeTenantInput,
  ClientDeps,
  RotateTenantInput,
  ScaleTenantInput,
} from './requests.ts';

/** Requests that choose a mode. */
export type ModeRequest = 'suspend' | 'resume';

/** What is chosen, and what the request calls each setting. */
export interface Choice {
  /** Merged into what is desired (RFC 7396). */
  readonly patch: Settings;
  readonly fieldOf: (path: readonly string[]) => string;
  readonly onFailure?: OnFailure | undefined;
  /** Which request it came with; `change` by default. */
  readonly request?: 'change' | 'rotate' | ModeRequest | undefined;
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

export function choiceOf({ settings = {}, refresh, onFailure }: ChangeTenantInput): Choice {
  return { patch: settings, fieldOf: (path) => ['body', 'settings', ...path].join('.'), refresh, onFailure };
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
