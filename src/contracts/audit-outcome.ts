/**
 * `done`: somebody changed something; `withdrawn`: that was taken back again, for no run took it; `asked`: somebody asked a run for it;
 * `recorded`: it happened to a tenant; `refused`: who asked may not.
 */
export const auditOutcomes = ['done', 'withdrawn', 'asked', 'recorded', 'refused'] as const;
export type AuditOutcome = (typeof auditOutcomes)[number];
