/**
 * `done`: somebody changed something; `asked`: somebody asked a run for it; `recorded`: it happened to a tenant; `refused`: who asked may not.
 */
export const auditOutcomes = ['done', 'asked', 'recorded', 'refused'] as const;
export type AuditOutcome = (typeof auditOutcomes)[number];
