/** Workflows only: the worker's bundle registers whatever is exported here. */
export { DriftCheck } from './drift-check.ts';
export { HealthCheck } from './health-check.ts';
export { LeakSweep } from './leak-sweep.ts';
export { TenantDeprovisioning } from './tenant-deprovisioning.ts';
export { TenantIsolation } from './tenant-isolation.ts';
export { TenantMigration } from './tenant-migration.ts';
export { TenantProvisioning } from './tenant-provisioning.ts';
export { TenantRepair } from './tenant-repair.ts';
export { TenantResumption } from './tenant-resumption.ts';
export { TenantRotation } from './tenant-rotation.ts';
export { TenantSuspension } from './tenant-suspension.ts';
export { TenantUpdate } from './tenant-update.ts';
