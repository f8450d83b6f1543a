import type { InventoryItem } from '../item.ts';
import type { AnswerTree } from './answer-tree.ts';
import { readPages, type AwsCaller } from './caller.ts';
import { facts, tagged, tagsOf } from './facts.ts';

/** Secrets, those included that are scheduled for deletion. */
export async function listSecrets(caller: AwsCaller): Promise<InventoryItem[]> {
  const answers = await readPages(
    (NextToken) =>
      caller.read({
        protocol: 'json',
        service: 'secretsmanager',
        target: 'secretsmanager.ListSecrets',
        input: { NextToken, MaxResults: 100, IncludePlannedDeletion: true },
      }),
    (answer) => answer.text('NextToken') || undefined,
  );
  return answers.flatMap((answer) => answer.list('SecretList')).map(secretItem);
}

function secretItem(secret: AnswerTree): InventoryItem {
  const isDeleted = secret.text('DeletedDate') !== '';
  const item = {
    kind: 'secretsmanager:secret',
    id: secret.text('ARN'),
    name: secret.text('Name'),
    detail: { state: isDeleted ? 'scheduled for deletion' : 'in use' },
    settings: facts({ versions: secret.at('SecretVersionsToStages').entries().length || undefined }),
    ...(isDeleted ? { residue: 'Secrets Manager keeps a deleted secret for its recovery window' } : {}),
  };
  return tagged(item, tagsOf(secret.list('Tags')));
}
