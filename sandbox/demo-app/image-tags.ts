/** The tags under which the sandbox's registry has the demo application, and what each does. */
export const imageTags = {
  '1.0': 'works; what the sandbox starts with',
  '1.1': 'works',
  unhealthy: 'fails its health checks',
  crash: 'exits soon after its start',
  missing: 'cannot be pulled',
} as const;
