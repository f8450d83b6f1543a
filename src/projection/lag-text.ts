import type { ProjectionLag } from '../db/projections.ts';

/** How far a cell's projection is, for people. */
export function lagText({ pending, lagMs }: Pick<ProjectionLag, 'pending' | 'lagMs'>): string {
  if (pending === 0) return 'nothing is pending';
  return `${pending === 1 ? '1 tenant is' : `${pending} tenants are`} pending, for ${Math.round(lagMs / 1000)} s`;
}
