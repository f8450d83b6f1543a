// `PORT=8080 npx tsx main.ts`: region, endpoint and credentials are the AWS SDK's own.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SSMClient } from '@aws-sdk/client-ssm';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createAccountsRouter } from 'tenantry/accounts';
import { createService } from './service.ts';

const router = createAccountsRouter({
  dynamodb: DynamoDBDocumentClient.from(new DynamoDBClient({})),
  ssm: new SSMClient({}),
});

/** Behind a gateway that has verified the caller's token and set the header; such a header from outside must not pass it. */
const accountOf = ({ headers }: { readonly headers: NodeJS.Dict<string | string[]> }) => {
  const accountId = headers['x-account-id'];
  return typeof accountId === 'string' ? accountId : undefined;
};

createService({ router, accountOf }).listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1');
