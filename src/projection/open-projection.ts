import { createAwsForPlatform, type CellAws } from '../aws/cell-aws.ts';
import type { Config } from '../config.ts';
import type { Platform } from '../contracts/platform.ts';
import { createDatabase, type Database } from '../db/database.ts';
import { findInstallationId } from '../db/installation.ts';
import { listFailingProjections, measureLag, type FailingProjection, type ProjectionLag } from '../db/projections.ts';
import { sharedTokens } from '../db/rate-buckets.ts';
import { rebuild, type Rebuilt } from './rebuild.ts';

/** How far a cell's projection is. */
export interface ProjectionStatus extends ProjectionLag {
  readonly table: string;
  /** At most ten, those first that wait longest. */
  readonly failing: readonly FailingProjection[];
}

/** No such cell, or one that names no table. */
export class ProjectionNotFoundError extends Error {
  override readonly name = 'ProjectionNotFoundError';
}

/** The projections of an installation, for a command. */
export interface Projections {
  /** @throws ProjectionNotFoundError */
  status(cell?: string): Promise<ProjectionStatus[]>;
  /** @throws ProjectionNotFoundError; StepError of AWS */
  rebuild(cell?: string): Promise<(Rebuilt & { readonly cell: string; readonly table: string })[]>;
  close(): Promise<void>;
}

export interface ProjectionsDeps {
  readonly database: Database;
  readonly platform: Platform;
  readonly aws: (cellId: string) => Pick<CellAws, 'tables'>;
}

export function createProjections({ database, platform, aws }: ProjectionsDeps): Omit<Projections, 'close'> {
  return {
    async status(cell) {
      const places = placesOf(platform, cell);
      const lags = await measureLag(
        database,
        places.map((place) => place.cell),
      );
      return Promise.all(
        places.map(async (place, i) => ({
          ...(lags[i] ?? { pending: 0, lagMs: 0 }),
          ...place,
          failing: await listFailingProjections(database, place.cell, 10),
        })),
      );
    },
    async rebuild(cell) {
      const installationId = await findInstallationId(database);
      const done: Awaited<ReturnType<Projections['rebuild']>> = [];
      for (const place of placesOf(platform, cell)) {
        const target = { tables: aws(place.cell).tables, table: place.table, installationId };
        done.push({ ...place, ...(await rebuild(database, target, place.cell)) });
      }
      return done;
    },
  };
}

/** With connections of its own, for a process that does nothing else. */
export function openProjections({ databaseUrl, platform, awsEndpointUrl }: Config): Projections {
  const database = createDatabase({ url: databaseUrl, maxConnections: 4, applicationName: 'tenantry-projection' });
  const pacing = { lease: sharedTokens(database) };
  const aws = createAwsForPlatform(platform, { endpointUrl: awsEndpointUrl, pacing });
  return {
    ...createProjections({ database, platform, aws }),
    async close() {
      aws.destroy();
      await database.close();
    },
  };
}

function placesOf(platform: Platform, wanted: string | undefined): { cell: string; table: string }[] {
  const places = platform.cells.flatMap(({ id, projection }) =>
    projection && (wanted === undefined || wanted === id) ? [{ cell: id, table: projection.table }] : [],
  );
  if (places.length > 0) return places;
  throw new ProjectionNotFoundError(
    wanted === undefined
      ? 'no cell of the platform description names a table (`projection`)'
      : `the platform description has no cell ${wanted} that names a table (\`projection\`)`,
  );
}
