import { createClosedDatabase, dropDatabase } from '../sandbox/parts/postgres-databases.ts';
import { startMinistack } from '../sandbox/parts/ministack.ts';
import { startPostgres } from '../sandbox/parts/postgres.ts';
import { randomBytes, randomInt } from 'node:crypto';

/** Servers that run already and may be shared by several stands. */
export interface ConformanceParts {
  /** Of MiniStack. */
  readonly ministackUrl: string;
  readonly postgres: { readonly controlUrl: string; readonly tenantUrl: string; readonly adminUrl: string };
}

export interface StandParts {
  readonly ministackUrl: string;
  /** The control plane's database, as its owner. */
  readonly controlUrl: string;
  /** The tenants' database, as the provisioner. */
  readonly tenantUrl: string;
  /** The tenants' database, as superuser: for the oracle. */
  readonly adminUrl: string;
  close(): Promise<void>;
}

/** A pair of databases of its own on the servers that are given, or on servers of its own. */
export async function openParts(given: ConformanceParts | undefined): Promise<StandParts> {
  const own = given ? undefined : await startServers();
  const { ministackUrl, postgres } = given ?? own!.parts;
  const id = randomBytes(5).toString('hex');
  const [control, tenants] = [`control_${id}`, `tenants_${id}`];
  await createClosedDatabase(postgres.adminUrl, control, 'tenantry');
  await createClosedDatabase(postgres.adminUrl, tenants, 'provisioner');
  return {
    ministackUrl,
    controlUrl: inDatabase(postgres.controlUrl, control),
    tenantUrl: inDatabase(postgres.tenantUrl, tenants),
    adminUrl: inDatabase(postgres.adminUrl, tenants),
    close: async () => {
      if (own) return own.stop();
      await dropDatabase(postgres.adminUrl, control);
      await dropDatabase(postgres.adminUrl, tenants);
    },
  };
}

async function startServers(): Promise<{ parts: ConformanceParts; stop: () => Promise<void> }> {
  const log = () => undefined;
  const [ministack, postgres] = await Promise.all([startMinistack({ log }), startPostgres({ log })]);
  return {
    parts: { ministackUrl: ministack.url, postgres },
    stop: async () => {
      await Promise.all([ministack.stop(), postgres.stop()]);
    },
  };
}

function inDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

/** An account of its own: MiniStack takes a 12-digit access key for it. */
export function freshAccountId(): string {
  return String(randomInt(100_000_000_000, 281_474_976_710_655) % 900_000_000_000).padStart(12, '1');
}
