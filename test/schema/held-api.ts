import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessTable } from '../../src/api/access/access-table.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import type { GivenRole } from '../../src/contracts/caller.ts';
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

/** Has Schemathesis ask an API as a caller of a role, and makes a test of each operation that it describes. */
export function describeHeldApi({ role, catalog }: { readonly role: GivenRole; readonly catalog: Catalog }): void {
  const described = operations.filter(
    (operation) => catalog.products['accounts'] !== undefined || !ofAccounts(operation),
  );

  describe(`the API, asked by a ${role}`, () => {
    let world: SchemaWorld;
    let findings: Findings;
    beforeAll(async () => {
      world = await startSchemaWorld({ catalog, role });
      findings = await holdAgainstDescription(world);
    });
    afterAll(() => world.close());

    it('is held against every check of Schemathesis, which did not fail itself', () => {
      expect([...findings.checks].sort(), findings.output).toEqual(allChecks);
      expect(findings.errors).toEqual([]);
    });

    it('has no fault at what is no operation in the table of access', () => {
      const elsewhere = [...findings.failures.keys()].filter((operation) => !described.includes(operation));
      expect(elsewhere.map((operation) => [operation, findings.failures.get(operation)?.[0]])).toEqual([]);
    });

    it.each(described)('%s answers as it is described', (operation) => {
      expect(findings.requests.get(operation), findings.output).toBeGreaterThan(0);
      // The first say enough: there may be hundreds.
      expect(findings.failures.get(operation)?.slice(0, 3) ?? []).toEqual([]);
    });
  });
}
