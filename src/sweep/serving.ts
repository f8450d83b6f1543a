import type { Cell } from '../contracts/platform.ts';
import type { SweptItem } from '../contracts/sweep.ts';
import { accessTo } from './cell-look.ts';
import type { SweepDeps } from './dependencies.ts';
import { cellsAround } from './other-cells.ts';

type UseDeps = Pick<SweepDeps, 'aws' | 'catalog' | 'platform' | 'tenantDatabases'>;

/**
 * Why a thing is in use right now, so that nobody may take it away; undefined when it is not. Asked in every cell that could use
 * it: lists are of a whole account and region. @throws StepError
 */
export async function useOf(deps: UseDeps, cell: Cell, item: SweptItem): Promise<string | undefined> {
  const type = deps.catalog.kinds.sweptTypes.get(item.type);
  if (!type?.useOf) return undefined;
  const { platform } = deps;
  for (const other of cellsAround(platform, cell, type)) {
    const use = await type.useOf({ ...accessTo(deps, other), item, isListed: other === cell, platform });
    if (use !== undefined) return other === cell ? use : `${use} (cell ${other.id})`;
  }
  return undefined;
}
