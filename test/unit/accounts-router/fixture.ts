import { guardQuery } from '../../../src/accounts-router/guards/query.ts';
import { inputFields } from '../../../src/accounts-router/guards/inputs.ts';
import { OwnRows } from '../../../src/accounts-router/guards/own-rows.ts';
import { itemedWrite, keyed, keyedWrite } from '../../../src/accounts-router/guards/row-guard.ts';
import {
  guardBatchGet,
  guardBatchWrite,
  guardTransactGet,
  guardTransactWrite,
} from '../../../src/accounts-router/guards/several.ts';
import { createScopes, defaultTableKeys, type TableKeys } from '../../../src/accounts-router/table-keys.ts';
import type { HostileCall } from '../../support/hostile-calls.ts';

export const ownId = '11111111-1111-4111-8111-111111111111';
export const own = `ACCOUNT#${ownId}`;
export const victim = 'ACCOUNT#22222222-2222-4222-8222-222222222222';

/** What the router sends for a call of the account {@link own}, but for the table's name. */
export function guarded(method: HostileCall['method'], input: unknown, keys: TableKeys = defaultTableKeys) {
  const scope = createScopes(keys)(ownId);
  const rows = new OwnRows(scope);
  switch (method) {
    case 'get':
      return keyed(rows, input, inputFields.get);
    case 'update':
    case 'delete':
      return keyedWrite(rows, input, inputFields[method]);
    case 'put':
      return itemedWrite(rows, input, inputFields.put);
    case 'query':
      return guardQuery(scope, input);
    case 'batchGet':
      return guardBatchGet(rows, input);
    case 'batchWrite':
      return guardBatchWrite(rows, input);
    case 'transactGet':
      return guardTransactGet(rows, input);
    case 'transactWrite':
      return guardTransactWrite(rows, input);
  }
}
