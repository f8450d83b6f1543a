import { AwsError } from '../answer.ts';
import type { Handler } from '../pipeline.ts';
import { scopeKey } from '../request.ts';
import type { Upstream } from '../upstream.ts';
import { registerInput, requireRegistrable } from './registration-rules.ts';
import { readJson } from './service-input.ts';

/** Revisions of one family are made one at a time: AWS refuses a second attempt meanwhile. */
export function createRevisionHandlers({ upstream }: { readonly upstream: Upstream }): Record<string, Handler> {
  const inFlight = new Set<string>();
  return {
    RegisterTaskDefinition: async (call) => {
      const parsed = registerInput.safeParse(readJson(call));
      if (!parsed.success) return upstream.forward(call);
      requireRegistrable(parsed.data);
      const key = `${scopeKey(call.scope)}|${parsed.data.family}`;
      if (inFlight.has(key)) {
        throw new AwsError(
          'ClientException',
          'Too many concurrent attempts to create a new revision of the specified family.',
        );
      }
      inFlight.add(key);
      try {
        return await upstream.forward(call);
      } finally {
        inFlight.delete(key);
      }
    },
  };
}
