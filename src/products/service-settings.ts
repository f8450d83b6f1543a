import { z } from 'zod';
import type { Cell } from '../contracts/platform.ts';
import { fargateCpus, fargateMemoryOf, isOfferedByFargate } from '../fargate-sizes.ts';
import { imageByDigest, imageRepository } from '../images.ts';

/** How many tasks a service may have. */
export interface CountBounds {
  readonly min: number;
  readonly max: number;
}

/**
 * What an operator may choose for one service of a tenant: its image, by digest from a repository that the cell allows; how many
 * tasks; the size of each, CPU in units and memory in MiB. What is left out is the template's, or the product's.
 */
export function serviceSettings(cell: Pick<Cell, 'allowedImageRepositories'>, { min, max }: CountBounds) {
  const { allowedImageRepositories: allowed } = cell;
  return z
    .strictObject({
      image: imageByDigest
        .refine((image) => allowed.includes(imageRepository(image)), {
          message: `must be of one of the cell's image repositories: ${allowed.join(', ')}`,
        })
        .optional(),
      count: z.int().min(min).max(max).optional(),
      cpu: z.int().optional(),
      memory: z.int().optional(),
    })
    .superRefine(({ cpu, memory }, context) => {
      const problem = sizeProblem(cpu, memory);
      if (problem) context.addIssue({ code: 'custom', path: [problem.field], message: problem.message });
    });
}

export type ServiceSettings = z.output<ReturnType<typeof serviceSettings>>;

function sizeProblem(cpu: number | undefined, memory: number | undefined) {
  if (cpu === undefined && memory === undefined) return undefined;
  if (cpu === undefined) return { field: 'cpu', message: 'is required with memory: Fargate offers pairs of both' };
  const offered = fargateMemoryOf(cpu);
  if (offered === undefined) return { field: 'cpu', message: `must be one of ${fargateCpus.join(', ')}` };
  if (memory === undefined) return { field: 'memory', message: 'is required with cpu: Fargate offers pairs of both' };
  if (isOfferedByFargate(cpu, memory)) return undefined;
  return { field: 'memory', message: `must be, in MiB with cpu ${cpu}, ${offered}` };
}
