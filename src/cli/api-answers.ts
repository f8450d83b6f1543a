import { z } from 'zod';
import {
  acceptedAnswer,
  settingsHistoryAnswer,
  statusAnswer,
  tenantAnswer,
  tenantDriftAnswer,
} from '../api/schemas/tenants.ts';
import { certificateAnswer, keysAnswer } from '../api/schemas/certificates.ts';
import { freezeAnswer, freezePreviewAnswer, freezesAnswer } from '../api/schemas/freezes.ts';
import { eventAnswer, eventsAnswer, operationAnswer, operationsAnswer } from '../api/schemas/operations.ts';
import { isolatedAnswer, isolationPreviewAnswer } from '../api/schemas/isolations.ts';
import { previewAnswer } from '../api/schemas/previews.ts';
import { sparseTenantsAnswer, tenantsAnswer } from '../api/schemas/lists.ts';
import { callerAnswer } from '../api/routes/caller.ts';
import { availabilityAnswer } from '../api/routes/availability.ts';
import { productsAnswer } from '../api/routes/products.ts';
import { open, type Open } from './open-answers.ts';

export type Accepted = Open<z.infer<typeof acceptedAnswer>>;
export type Freeze = Open<z.infer<typeof freezeAnswer>>;
export type FreezePreview = Open<z.infer<typeof freezePreviewAnswer>>;
export type Isolated = Open<z.infer<typeof isolatedAnswer>>;
export type IsolationPreview = Open<z.infer<typeof isolationPreviewAnswer>>;
export type SettingsHistory = Open<z.infer<typeof settingsHistoryAnswer>>;
export type Tenant = Open<z.infer<typeof tenantAnswer>>;
export type Preview = Open<z.infer<typeof previewAnswer>>;
export type TenantPage = Open<z.infer<typeof tenantsAnswer>>;
export type SparseTenantPage = Open<z.infer<typeof sparseTenantsAnswer>>;
export type ListedTenant = TenantPage['tenants'][number];
export type Status = Open<z.infer<typeof statusAnswer>>;
export type TenantDrift = Open<z.infer<typeof tenantDriftAnswer>>;
export type Operation = Open<z.infer<typeof operationAnswer>>;
export type Availability = Open<z.infer<typeof availabilityAnswer>>;
export type CallerIdentity = Open<z.infer<typeof callerAnswer>>;
export type ProductList = Open<z.infer<typeof productsAnswer>>;
export type CertificateDocument = z.infer<typeof certificateDocument>;
export type Keys = z.infer<typeof keysAnswer>;
export type TenantEvent = Open<z.infer<typeof eventAnswer>>;

/** As it is: what a later release adds was signed too. */
export const certificateDocument = z.object({ certificate: z.unknown(), jws: certificateAnswer.shape.jws });

/** Of each answer: what is not ours is refused. */
export const answers = {
  accepted: open(acceptedAnswer),
  preview: open(previewAnswer),
  tenant: open(tenantAnswer),
  tenants: open(tenantsAnswer),
  sparseTenants: open(sparseTenantsAnswer),
  status: open(statusAnswer),
  operation: open(operationAnswer),
  operations: open(operationsAnswer),
  drift: open(tenantDriftAnswer),
  caller: open(callerAnswer),
  products: open(productsAnswer),
  availability: open(availabilityAnswer),
  isolated: open(isolatedAnswer),
  isolationPreview: open(isolationPreviewAnswer),
  freeze: open(freezeAnswer),
  settingsHistory: open(settingsHistoryAnswer),
  freezes: open(freezesAnswer),
  freezePreview: open(freezePreviewAnswer),
  event: open(eventAnswer),
  events: open(eventsAnswer),
  certificate: certificateDocument,
  keys: keysAnswer,
};

/** A tenant: nothing had to be carried out. */
export const acceptedOrTenant = z.union([answers.accepted, answers.tenant]);
