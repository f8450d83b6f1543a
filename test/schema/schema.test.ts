import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessTable } from '../../src/api/access/access-table.ts';
import { createCatalog, defaultCatalog } from '../../src/catalog/catalog.ts';
import { moamalat } from '../../src/products/moamalat/product.ts';
import { holdAgainstDescription, type Findings } from './schemathesis.ts';
import { startSchemaWorld, type SchemaWorld } from './world.ts';

/* The API against its own description, by requests that Schemathesis makes up: nothing but what is described may be answered. */

/** All that Schemathesis has, `accepts_what_is_described` in the place of its `positive_data_acceptance` (hooks.py says why). */
const allChecks = [
  'accepts_what_is_described',
  'allow_header_conformance',
  'content_type_conformance',
  'ensure_resource_availability',
  'ignored_auth',
  'missing_required_header',
  'negative_data_rejection',
  'not_a_server_error',
  'object_level_authorization',
  'response_headers_conformance',
  'response_schema_conformance',
  'status_code_conformance',
  'unsupported_method',
  'use_after_free',
];

/** As the description writes them; what it leaves out is left out here. */
const operations = Object.entries(accessTable)
  .filter(([id]) => id !== 'preflight' && id !== 'readDocs')
  .map(([, { route }]) => route.replaceAll(/:(\w+)/g, '{$1}'));
const ofAccounts = (operation: string) => operation.includes(' /accounts');

const installations = [
  { title: 'a platform-admin, accounts installed', role: 'platform-admin', catalog: defaultCatalog, operations },
  {
    title: 'a tenant-admin, no accounts installed',
    role: 'tenant-admin',
    catalog: createCatalog({ products: [moamalat] }),
    operations: operations.filter((operation) => !ofAccounts(operation)),
  },
] as const;

describe.each(installations)('asked by $title', ({ role, catalog, operations: described }) => {
  let world: SchemaWorld;
  let findings: Findings;
  beforeAll(async () => {
    world = await startSchemaWorld({ catalog, role });
    findings = await holdAgainstDescription(world);
  });
  afterAll(() => world.close());

  it('every check of Schemathesis is made', () => {
    expect([...findings.checks].sort(), findings.output).toEqual(allChecks);
  });

  it('it finds nothing that is of no operation in the table of access', () => {
    const elsewhere = [...findings.failures.keys()].filter((operation) => !described.includes(operation));
    expect(elsewhere.map((operation) => [operation, findings.failures.get(operation)])).toEqual([]);
  });

  it.each(described)('%s answers as it is described', (operation) => {
    expect(findings.requests.get(operation), findings.output).toBeGreaterThan(0);
    // The first say enough: there may be hundreds.
    expect(findings.failures.get(operation)?.slice(0, 3) ?? []).toEqual([]);
  });
});
