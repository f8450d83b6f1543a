import type { TableLook, Tables } from '../aws/dynamodb.ts';
import type { Cell } from '../contracts/platform.ts';
import { PROJECTION_BEHIND_MS } from '../contracts/projection.ts';
import type { ProjectionLag } from '../db/projections.ts';
import { lagText } from '../projection/lag-text.ts';
import { look, ok, problem, warning, type Finding } from './finding.ts';

/** As `docs/projection.md` names them. */
const KEYS = 'HASH PK S, RANGE SK S';
const INDEXES: Readonly<Record<string, string>> = {
  GSI1: 'HASH GSI1PK S, RANGE GSI1SK S',
  GSI2: 'HASH GSI2PK S, RANGE GSI2SK S',
};
const VIEW = 'NEW_AND_OLD_IMAGES';

export interface ProjectionParts {
  readonly cell: Pick<Cell, 'id' | 'region' | 'projection'>;
  readonly tables: Pick<Tables, 'look' | 'hasPointInTimeRecovery' | 'deniedActions'>;
  /** Undefined: it could not be asked. */
  readonly lag: ProjectionLag | undefined;
}

/** The table that tenants are projected to: keys, indexes, stream, backups, rights, and how far it is behind. */
export async function checkProjection({ cell, tables, lag }: ProjectionParts): Promise<Finding[]> {
  if (!cell.projection) return [];
  const { table } = cell.projection;
  const subject = `cell ${cell.id}: projection table ${table}`;
  return look(subject, async () => {
    const seen = await tables.look(table);
    if (!seen)
      return problem(
        subject,
        `does not exist in region ${cell.region}: create it with key ${KEYS} (docs/projection.md); tenants wait in PostgreSQL until then`,
      );
    const problems = [...shapeProblems(seen), ...(await rightsProblems(tables, table))];
    const warnings = [...((await tables.hasPointInTimeRecovery(table)) ? [] : [noRecovery]), ...behind(lag)];
    const findings = [
      ...problems.map((said) => problem(subject, said)),
      ...warnings.map((said) => warning(subject, said)),
    ];
    return findings.length > 0 ? findings : [ok(subject, `has its keys, indexes and stream; ${upTo(lag)}`)];
  });
}

const noRecovery = 'has no point-in-time recovery: switch it on, or rebuild the table from PostgreSQL after a loss';

function shapeProblems({ status, keys, indexes, streamViewType }: TableLook): string[] {
  const wrongIndexes = Object.entries(INDEXES).flatMap(([name, wanted]) => {
    const index = indexes[name];
    if (!index) return [`lacks index ${name} (${wanted}, projection ALL): add it`];
    if (index.keys !== wanted) return [`index ${name} has key ${index.keys}, wanted is ${wanted}: replace the index`];
    return index.projection === 'ALL' ? [] : [`index ${name} projects ${index.projection}, wanted is ALL`];
  });
  return [
    ...(status === 'ACTIVE' || status === 'UPDATING' ? [] : [`is ${status}`]),
    ...(keys === KEYS
      ? []
      : [`has key ${keys}, wanted is ${KEYS}: no tenant can be written to it; name another table`]),
    ...wrongIndexes,
    ...(streamViewType === VIEW
      ? []
      : [
          `${streamViewType === undefined ? 'has no stream' : `its stream shows ${streamViewType}`}: enable it with ${VIEW}`,
        ]),
  ];
}

async function rightsProblems(tables: ProjectionParts['tables'], table: string): Promise<string[]> {
  const denied = await tables.deniedActions(table);
  if (denied.length === 0) return [];
  return [`the credentials may not ${denied.join(', ')} on it: allow these to the worker's role`];
}

function behind(lag: ProjectionLag | undefined): string[] {
  if (!lag || lag.lagMs <= PROJECTION_BEHIND_MS) return [];
  return [`${upTo(lag)}: docs/runbook.md#projection-behind`];
}

function upTo(lag: ProjectionLag | undefined): string {
  return lag ? lagText(lag) : 'how far it is was not asked';
}
