/** Memory in MiB that Fargate offers for a number of CPU units: from, to, in steps of. Source: "Task CPU and memory" in the ECS developer guide. */
const memoryByCpu: Readonly<Record<number, readonly [number, number, number]>> = {
  512: [1_024, 4_096, 1_024],
  1_024: [2_048, 8_192, 1_024],
  2_048: [4_096, 16_384, 1_024],
  4_096: [8_192, 30_720, 1_024],
  8_192: [16_384, 61_440, 4_096],
  16_384: [32_768, 122_880, 8_192],
};
/** Of 256 CPU units, which have no steps. */
const memoryOfSmallest = [512, 1_024, 2_048];

/** Numbers of CPU units that Fargate offers. */
export const fargateCpus: readonly number[] = [256, ...Object.keys(memoryByCpu).map(Number)];

/** Whether Fargate offers a task of this size: CPU in units, memory in MiB. */
export function isOfferedByFargate(cpu: number, memory: number): boolean {
  if (cpu === 256) return memoryOfSmallest.includes(memory);
  const [from, to, step] = memoryByCpu[cpu] ?? [];
  if (from === undefined || to === undefined || step === undefined) return false;
  return memory >= from && memory <= to && (memory - from) % step === 0;
}

/** The memory that goes with a number of CPU units, in words; undefined when Fargate does not offer that number. */
export function fargateMemoryOf(cpu: number): string | undefined {
  if (cpu === 256) return memoryOfSmallest.join(', ');
  const [from, to, step] = memoryByCpu[cpu] ?? [];
  return from === undefined ? undefined : `${from} to ${to ?? ''} in steps of ${step ?? ''}`;
}
