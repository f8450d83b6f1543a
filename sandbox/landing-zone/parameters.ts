import { PutParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { accounts } from '../../src/products/accounts/product.ts';
import { ensureAccountPlatform } from './accounts.ts';
import type { SeedClients } from './clients.ts';
import type { SeededProduct } from './names.ts';

/** Of a parameter that a product declares, and of which the sandbox knows nothing. */
const UNKNOWN_VALUE = 'sandbox';

/** The SSM parameters that products declare, with the values that they have here; undefined where none does. */
export async function ensureParameters(
  clients: SeedClients,
  products: readonly SeededProduct[],
  place: { readonly accountId: string; readonly region: string },
): Promise<Record<string, string> | undefined> {
  const declared = products.flatMap(({ ssmParameters = [] }) => ssmParameters);
  if (declared.length === 0) return undefined;
  const hasAccounts = products.some(({ name }) => name === accounts.name);
  const parameters = {
    ...Object.fromEntries(declared.map((name) => [name, UNKNOWN_VALUE])),
    ...(hasAccounts && (await ensureAccountPlatform(clients, place))),
  };
  for (const [name, value] of Object.entries(parameters)) await ensureParameter(clients.ssm, name, value);
  return parameters;
}

async function ensureParameter(ssm: SSMClient, Name: string, Value: string): Promise<void> {
  await ssm.send(new PutParameterCommand({ Name, Value, Type: 'String', Overwrite: true }));
}
