import { z } from 'zod';
import { serviceSettings } from '../service-settings.ts';
import type { SettingsBounds } from '../settings.ts';

const counts = { min: 1, max: 10 } as const;

/** By service: image, number of tasks, and their size (requirements R-LIF-03, R-LIF-04, R-ECS-14). */
export function moamalatSettings({ cell }: Pick<SettingsBounds, 'cell'>) {
  const service = serviceSettings(cell, counts).optional();
  return z.strictObject({ services: z.strictObject({ backend: service, frontend: service }).optional() });
}

export type MoamalatSettings = z.output<ReturnType<typeof moamalatSettings>>;
