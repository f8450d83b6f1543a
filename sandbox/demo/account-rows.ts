import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { AccountNotFoundError, createAccountsRouter } from '../../src/accounts-router/index.ts';
import { createClients, destroyClients } from '../landing-zone/clients.ts';
import type { Parts } from '../stack/parts.ts';

/** Rows of accounts, as a company's service reaches them. */
export interface Rows {
  /** Writes some. Answers the table that they went to. */
  write(accountId: string): Promise<string>;
  /** Whether those that were written are read as they were, by key and by query. */
  areThere(accountId: string): Promise<boolean>;
  /** Services that it has licenses for, in the order of their rows. */
  licenses(accountId: string): Promise<string[]>;
  /** Whether the router finds no account of the id any more. */
  areRefused(accountId: string): Promise<boolean>;
  close(): void;
}

const notes = ['first', 'second', 'third'];
const rowOf = (text: string) => ({ SK: `NOTE#${text}`, text });

export function openRows({ env }: Pick<Parts, 'env'>): Rows {
  const clients = createClients({ endpointUrl: env.AWS_ENDPOINT_URL ?? '', region: env.AWS_REGION ?? '' });
  const router = createAccountsRouter({ dynamodb: DynamoDBDocumentClient.from(clients.dynamodb), ssm: clients.ssm });
  const textsOf = async (accountId: string, prefix: string, attribute: string) => {
    const found: unknown[] = [];
    const query = {
      KeyConditionExpression: 'begins_with(SK, :prefix)',
      ExpressionAttributeValues: { ':prefix': prefix },
    };
    for await (const row of router.queryItems(accountId, query)) found.push(row[attribute]);
    return found.map(String);
  };
  return {
    async write(accountId) {
      for (const text of notes) await router.put(accountId, { Item: rowOf(text) });
      return router.resolveTableName(accountId);
    },

    async areThere(accountId) {
      const texts = await textsOf(accountId, 'NOTE#', 'text');
      const { Item } = await router.get(accountId, { Key: { SK: 'NOTE#second' } });
      const isWhole = texts.join() === notes.join() && Item?.['text'] === 'second';
      console.log(
        `  ${accountId}: ${texts.length} of ${notes.length} rows are read${isWhole ? '' : ', which is WRONG'}`,
      );
      return isWhole;
    },

    licenses: (accountId) => textsOf(accountId, 'LICENSE#', 'serviceId'),

    async areRefused(accountId) {
      router.forget(accountId);
      try {
        await router.get(accountId, { Key: { SK: 'NOTE#first' } });
        console.error('  the router still serves it');
        return false;
      } catch (error) {
        if (!(error instanceof AccountNotFoundError)) throw error;
        console.log(`  the router: ${error.message}`);
        return true;
      }
    },

    close: () => destroyClients(clients),
  };
}
