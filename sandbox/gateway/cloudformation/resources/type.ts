import type { UpstreamClients } from '../../upstream.ts';
import type { Made, Properties, Tags } from '../model.ts';

export interface ResourceCall {
  readonly clients: UpstreamClients;
  readonly properties: Properties;
  /** Of the stack, and CloudFormation's own. */
  readonly tags: Tags;
  /** For one that the template gives no name. */
  readonly generatedName: string;
}

/** How CloudFormation makes one type of resource. Errors are told in the events of the stack. */
export interface ResourceType {
  /** Properties that it has; others are refused. */
  readonly known: readonly string[];
  /** Those whose change needs another resource in its place. */
  readonly replacing: readonly string[];
  /** The property that names it: one that has it cannot be replaced under the same name. */
  readonly named?: string;
  readonly isTagged: boolean;
  create(call: ResourceCall): Promise<Made>;
  update(call: ResourceCall & { readonly physicalId: string; readonly before: Properties }): Promise<Made>;
  /** Missing is done. */
  remove(call: { readonly clients: UpstreamClients; readonly physicalId: string }): Promise<void>;
}

/** The service's own error, as a resource's handler tells it. */
export class HandlerError extends Error {
  override readonly name = 'HandlerError';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
