import type { Tables } from '../aws/dynamodb.ts';
import type { Cell } from '../contracts/platform.ts';
import { PROJECTION_BEHIND_MS } from '../contracts/projection.ts';
import type { ProjectionLag } from '../db/projections.ts';
import { lagText } from '../projection/lag-text.ts';
import { look, ok, problem, warning, type Finding } from './finding.ts';
import { tableKey, tableShapeProblems } from './table-shape.ts';

/** As `docs/projection.md` names them. */
const INDEXES = ['GSI1', 'GSI2'];

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
        `does not exist in region ${cell.region}: create it with key ${tableKey} (docs/projection.md); tenants wait in PostgreSQL until then`,
      );
    const problems = [...tableShapeProblems(seen, INDEXES), ...(await rightsProblems(tables, table))];
    const warnings = [...((await tables.hasPointInTimeRecovery(table)) ? [] : [noRecovery]), ...behind(lag)];
    const findings = [
      ...problems.map((said) => problem(subject, said)),
      ...warnings.map((said) => warning(subject, said)),
    ];
    return findings.length > 0 ? findings : [ok(subject, `has its keys, indexes and stream; ${upTo(lag)}`)];
  });
}

const noRecovery = 'has no point-in-time recovery: switch it on, or rebuild the table from PostgreSQL after a loss';

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
