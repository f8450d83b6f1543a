import { accountIndexKey, type AccountsRouter } from 'tenantry/accounts';
import { randomUUID } from 'node:crypto';

/** A row of the service. Its partition key is the router's business. */
interface NoteRow {
  /** `NOTE#{time}#{id}`: the sort key, so that notes come in the order in which they were made. */
  readonly SK: string;
  readonly text: string;
  /** By tag, within the account: `ACCOUNT#{accountId}#TAG#{tag}`. */
  readonly GSI1PK?: string;
  readonly GSI1SK?: string;
}

export interface Note {
  readonly id: string;
  readonly text: string;
}

/** The notes of accounts, wherever their rows are. */
export function createNotes(router: AccountsRouter) {
  return {
    async add(accountId: string, text: string, tag?: string): Promise<Note> {
      const SK = `NOTE#${new Date().toISOString()}#${randomUUID()}`;
      const tagged = tag === undefined ? {} : { GSI1PK: accountIndexKey(accountId, `TAG#${tag}`), GSI1SK: SK };
      await router.put<NoteRow>(accountId, {
        Item: { SK, text, ...tagged },
        ConditionExpression: 'attribute_not_exists(SK)',
      });
      return noteOf({ SK, text });
    },

    async list(accountId: string): Promise<Note[]> {
      const rows = router.queryItems<NoteRow>(accountId, {
        KeyConditionExpression: 'begins_with(SK, :notes)',
        ExpressionAttributeValues: { ':notes': 'NOTE#' },
      });
      return all(rows);
    },

    async listTagged(accountId: string, tag: string): Promise<Note[]> {
      const rows = router.queryItems<NoteRow>(accountId, {
        IndexName: 'GSI1',
        KeyConditionExpression: 'GSI1PK = :tag',
        ExpressionAttributeValues: { ':tag': accountIndexKey(accountId, `TAG#${tag}`) },
      });
      return all(rows);
    },

    async remove(accountId: string, id: string): Promise<void> {
      await router.delete(accountId, { Key: { SK: `NOTE#${id}` } });
    },
  };
}

async function all(rows: AsyncIterable<NoteRow>): Promise<Note[]> {
  const found: Note[] = [];
  for await (const row of rows) found.push(noteOf(row));
  return found;
}

function noteOf({ SK, text }: NoteRow): Note {
  return { id: SK.slice('NOTE#'.length), text };
}
