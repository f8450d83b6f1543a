import { createAwsForPlatform } from '../aws/cell-aws.ts';
import type { Config } from '../config.ts';
import { createDatabase } from '../db/database.ts';
import { sharedTokens } from '../db/rate-buckets.ts';
import { createArchives, type Archives } from './archives.ts';

/** With connections of its own, for a process that does nothing else. */
export function openArchives({ databaseUrl, platform, awsEndpointUrl }: Config): Archives {
  const database = createDatabase({ url: databaseUrl, maxConnections: 4, applicationName: 'tenantry-archives' });
  const aws = createAwsForPlatform(platform, {
    endpointUrl: awsEndpointUrl,
    pacing: { lease: sharedTokens(database) },
  });
  return {
    ...createArchives({ database, platform, aws }),
    async close() {
      aws.destroy();
      await database.close();
    },
  };
}
