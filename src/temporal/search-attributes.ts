import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { searchAttributes } from '../contracts/ids.ts';

const { INDEXED_VALUE_TYPE_KEYWORD } = proto.temporal.api.enums.v1.IndexedValueType;

/**
 * What is wrong with the namespace's search attributes, as sentences; empty when all are there as Keyword. An upsert of
 * one that is missing would fail the workflow task for ever, so worker and doctor look before anything runs.
 * @throws ServiceError when Temporal cannot be reached.
 */
export async function searchAttributeProblems(client: Client, namespace: string): Promise<string[]> {
  const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace });
  return searchAttributes.flatMap((name) => {
    const type = customAttributes[name];
    if (type === undefined) {
      return [
        `search attribute ${name} is not registered in namespace ${namespace}: ` +
          `temporal operator search-attribute create --namespace ${namespace} --name ${name} --type Keyword`,
      ];
    }
    return type === INDEXED_VALUE_TYPE_KEYWORD ? [] : [`search attribute ${name} has another type than Keyword`];
  });
}

/** Registers those that are missing, as Keyword. Idempotent. */
export async function registerSearchAttributes(client: Client, namespace: string): Promise<void> {
  const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace });
  const missing = searchAttributes.filter((name) => !(name in customAttributes));
  if (missing.length === 0) return;
  await client.connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map((name) => [name, INDEXED_VALUE_TYPE_KEYWORD])),
  });
}
