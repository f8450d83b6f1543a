import { loadCatalog } from '../src/catalog/load.ts';
import { catalogFileOf } from '../src/config.ts';
import { seedLandingZone } from './landing-zone/seed.ts';
import { writePlatform } from './stack/parts.ts';

/** `tenantry sandbox seed`: a landing zone in the endpoint that AWS_ENDPOINT_URL names, described for PLATFORM_CONFIG. */
export async function seedEndpoint(directory: string): Promise<void> {
  const endpointUrl = required('AWS_ENDPOINT_URL', 'the gateway to seed');
  const database = new URL(process.env.TENANT_DATABASE_URL || required('DATABASE_URL', "where tenants' schemas go"));
  const platform = await seedLandingZone({
    endpointUrl,
    region: process.env.AWS_REGION ?? 'us-east-1',
    products: Object.values((await loadCatalog(catalogFileOf(process.env))).products),
    database: { host: database.hostname, port: Number(database.port || 5432), name: database.pathname.slice(1) },
  });
  console.log(`PLATFORM_CONFIG=${writePlatform(directory, platform)}`);
}

function required(name: string, what: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set: ${what}`);
  return value;
}
