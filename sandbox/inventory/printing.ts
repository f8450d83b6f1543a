import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { InventoryOptions } from './command.ts';
import {
  describeItem,
  difference,
  renderDifference,
  takeInventory,
  type AwsScope,
  type InventoryItem,
} from './inventory.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Prints the inventory of what the standard variables point at, or its difference to a saved one.
 * @throws Error saying which variable is missing, which file is no inventory, or what cannot be read.
 */
export async function printInventory(
  { json, since, scope, root }: InventoryOptions,
  env: Environment,
  write: (text: string) => void,
): Promise<void> {
  if (!env.AWS_ENDPOINT_URL)
    throw new Error('AWS_ENDPOINT_URL must name the gateway of a sandbox: set -a; . .sandbox/env; set +a');
  const before = since === undefined ? undefined : await readSaved(since);
  const items = await takeInventory({
    gatewayUrl: env.AWS_ENDPOINT_URL,
    databaseUrl: env.TENANT_DATABASE_URL || env.DATABASE_URL || undefined,
    accounts: env.PLATFORM_CONFIG ? await accountsOf(env.PLATFORM_CONFIG) : undefined,
    scope,
    ...(root && { processes: { roots: root.map(Number) } }),
  });
  const diff = before && difference(before, items);
  if (json) write(`${JSON.stringify(diff ?? items, undefined, 2)}\n`);
  else if (diff) write(`${renderDifference(diff) || 'nothing came, went or changed'}\n`);
  else write(`${items.map(describeItem).join('\n')}\n${items.length} things\n`);
}

const facts = z.record(z.string(), z.string());

const saved = z.array(
  z.object({
    kind: z.string(),
    id: z.string(),
    name: z.string().exactOptional(),
    detail: facts.exactOptional(),
    settings: facts.exactOptional(),
    tags: facts.exactOptional(),
    owner: z
      .object({
        installation: z.string(),
        tenantId: z.string(),
        product: z.string().exactOptional(),
        operationId: z.string().exactOptional(),
        step: z.string().exactOptional(),
      })
      .exactOptional(),
    residue: z.string().exactOptional(),
  }),
);

async function readSaved(file: string): Promise<InventoryItem[]> {
  const text = await readFile(file, 'utf8');
  try {
    return saved.parse(JSON.parse(text));
  } catch (cause) {
    throw new Error(`${file} holds no inventory; save one with: tenantry sandbox inventory --json > ${file}`, {
      cause,
    });
  }
}

const platform = z.object({ cells: z.array(z.object({ accountId: z.string(), region: z.string() })) });

/** The accounts and regions of the platform's cells: a gateway that was just started has heard of none. */
async function accountsOf(platformConfig: string): Promise<AwsScope[]> {
  const { cells } = platform.parse(JSON.parse(await readFile(platformConfig, 'utf8')));
  return cells.map(({ accountId, region }) => ({ accountId, region }));
}
