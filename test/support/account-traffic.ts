import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SSMClient } from '@aws-sdk/client-ssm';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAccountsRouter, WriteOutcomeUnknownError, type AccountsRouter } from 'tenantry/accounts';
import type { AwsTarget } from '../../sandbox/landing-zone/clients.ts';

/** A service of the company, by a router of its own as another process would have it. */
export function serviceRouter({ credentials, endpointUrl: endpoint, region }: AwsTarget): AccountsRouter {
  const config = { endpoint, region, credentials };
  return createAccountsRouter({
    dynamodb: DynamoDBDocumentClient.from(new DynamoDBClient(config)),
    ssm: new SSMClient(config),
  });
}

const KEYS = 12;
const sortKeyOf = (key: number) => `NOTE#${key}`;

/** What became of one key: 0 is a row that was deleted, or never written. */
interface Story {
  acknowledged: number;
  /** The highest number that was tried: where the outcome is not known, the row may have it. */
  tried: number;
}

/** Services that write and read the rows of an account all the while. */
export interface Traffic {
  /** Ends it. @throws Error naming every answer that was wrong, and every one that failed */
  end(): Promise<{ readonly writes: number; readonly reads: number; readonly longestWaitMs: number }>;
  /** The rows that must be there. */
  expectRows(rows: ReadonlyMap<string, number>): void;
}

/** Pauses of each of them after a call, in ms. */
interface Pace {
  readonly writerMs: number;
  readonly readerMs: number;
}

export function startTraffic(
  target: AwsTarget,
  accountId: string,
  { readerMs, writerMs }: Pace = { readerMs: 10, writerMs: 10 },
): Traffic {
  const [writer, reader] = [serviceRouter(target), serviceRouter(target)];
  const stories = Array.from({ length: KEYS }, (): Story => ({ acknowledged: 0, tried: 0 }));
  const wrong: string[] = [];
  const counts = { writes: 0, reads: 0, longestWaitMs: 0 };
  let isOver = false;

  const write = async (key: number, n: number) => {
    const story = stories[key]!;
    story.tried = n;
    const startedMs = performance.now();
    try {
      await writer.put(accountId, { Item: { SK: sortKeyOf(key), n } });
      story.acknowledged = n;
      counts.writes += 1;
    } catch (error) {
      // It may be there, or not: the next one decides.
      if (!(error instanceof WriteOutcomeUnknownError)) wrong.push(`write ${n} of ${key}: ${String(error)}`);
    }
    counts.longestWaitMs = Math.max(counts.longestWaitMs, performance.now() - startedMs);
  };

  const read = async (key: number) => {
    const least = stories[key]!.acknowledged;
    try {
      const { Item } = await reader.get<{ n: number }>(accountId, {
        Key: { SK: sortKeyOf(key) },
        ConsistentRead: true,
      });
      const seen = Item?.n ?? 0;
      counts.reads += 1;
      if (seen < least || seen > stories[key]!.tried)
        wrong.push(`key ${key} was read as ${seen}, between ${least} acknowledged and ${stories[key]!.tried} tried`);
    } catch (error) {
      wrong.push(`read of ${key}: ${String(error)}`);
    }
  };

  const loop = async (pauseMs: number, each: (round: number) => Promise<void>) => {
    for (let round = 1; !isOver; round += 1) {
      await each(round);
      await sleep(pauseMs);
    }
  };
  const loops = [
    loop(writerMs, async (round) => write(round % KEYS, round)),
    loop(readerMs, (round) => read((round * 5) % KEYS)),
    loop(readerMs, (round) => read((round * 7) % KEYS)),
  ];
  return {
    async end() {
      isOver = true;
      await Promise.all(loops);
      if (wrong.length > 0) throw new Error(wrong.slice(0, 10).join('\n'));
      return counts;
    },
    expectRows(rows) {
      for (const [key, { acknowledged, tried }] of stories.entries()) {
        const n = rows.get(sortKeyOf(key)) ?? 0;
        if (n < acknowledged || n > tried)
          throw new Error(`row ${sortKeyOf(key)} is ${n}, between ${acknowledged} acknowledged and ${tried} tried`);
      }
    },
  };
}
