import { tenantStatuses, type TenantStatus } from '../../contracts/tenant-status.ts';
import { RequestError } from '../../client/request-error.ts';
import type { AttentionView, OutcomeView, PreviewView } from '../../client/views.ts';
import { provisioningStatusOf } from '../../products/accounts/provisioning-status.ts';
import { inAccountWords } from '../../products/accounts/words.ts';

/** What a request would do, as callers of accounts call things. */
export function previewInTerms({ control, finalDump, residues, ...preview }: PreviewView): PreviewView {
  return {
    ...preview,
    finalDump: finalDump && { ...finalDump, detail: inAccountWords(finalDump.detail) },
    residues: residues.map((one) => ({ ...one, reason: inAccountWords(one.reason) })),
    ...(control && {
      control: {
        ...control,
        effect: inAccountWords(control.effect),
        tenantStatus: provisioningStatusOf(control.tenantStatus),
      },
    }),
  };
}

export function outcomeInTerms(outcome: OutcomeView | null): OutcomeView | null {
  return outcome && { ...outcome, message: inAccountWords(outcome.message) };
}

export function attentionInTerms({ advice, choices, otherwise, ...attention }: AttentionView): AttentionView {
  return {
    ...attention,
    otherwise: inAccountWords(otherwise),
    advice: advice.map((one) => ({ ...one, text: inAccountWords(one.text) })),
    choices: choices.map((choice) => ({
      ...choice,
      command: inAccountWords(choice.command),
      effect: inAccountWords(choice.effect),
    })),
  };
}

/** A refusal that names what only tenants have: a tier, a status of theirs, their routes. */
export function errorInTerms(error: unknown): unknown {
  if (!(error instanceof RequestError) || !error.details) return error;
  const { code, cause, details, message, retryAfterSeconds } = error;
  const { ask, status, tier, tierChanges, ...rest } = details;
  const statusUrl = typeof rest.tenantId === 'string' ? `/accounts/${rest.tenantId}/status` : undefined;
  const word = tenantStatuses.find((known) => known === status);
  const provisioningStatus = word && provisioningStatusOf(word);
  return new RequestError(code, inTerms(message, { ask, statusUrl, word, provisioningStatus }), {
    ...{ cause, retryAfterSeconds },
    details: {
      ...rest,
      ...(ask !== undefined && { ask: statusUrl ?? ask }),
      ...(status !== undefined && { status: provisioningStatus ?? status }),
      ...(tier !== undefined && { cloudType: tier }),
      ...(tierChanges !== undefined && { cloudTypeChanges: tierChanges }),
    },
  });
}

interface Named {
  readonly ask: unknown;
  readonly statusUrl: string | undefined;
  readonly word: TenantStatus | undefined;
  readonly provisioningStatus: string | undefined;
}

/** What is named in the details stands in the sentence too. */
function inTerms(message: string, { ask, provisioningStatus, statusUrl, word }: Named): string {
  const asked = typeof ask === 'string' && statusUrl !== undefined ? message.replace(ask, statusUrl) : message;
  return provisioningStatus === undefined ? asked : asked.replace(`is ${word}`, `is ${provisioningStatus}`);
}
