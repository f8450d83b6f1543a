import { RequestError } from './request-error.ts';
import type { ClientDeps } from './requests.ts';

/**
 * Refuses what makes a tenant of the product, or makes it another, where the installation has that switched off. Tenants that there
 * are can be read, and deleted.
 * @throws RequestError FEATURE_DISABLED
 */
export function refuseSwitchedOff({ switchedOff = {} }: Pick<ClientDeps, 'switchedOff'>, product: string): void {
  const variable = Object.hasOwn(switchedOff, product) ? switchedOff[product] : undefined;
  if (variable === undefined) return;
  throw new RequestError(
    'FEATURE_DISABLED',
    `the provisioning of ${product} is switched off here: the API's environment needs ${variable}=true`,
    { details: { product, variable } },
  );
}
