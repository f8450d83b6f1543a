import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { EncryptionCodec } from './codec.ts';

/** The data converter of every client of this installation. */
export function createDataConverter(payloadKeys: readonly Buffer[]): DataConverter {
  return converterWith(new EncryptionCodec(payloadKeys));
}

/** The data converter of every worker: a signal that cannot be decrypted must not fail the workflow task that takes it. */
export function createWorkerDataConverter(payloadKeys: readonly Buffer[]): DataConverter {
  return converterWith(new EncryptionCodec(payloadKeys, { onGarbage: 'mark' }));
}

function converterWith(codec: EncryptionCodec): DataConverter {
  const failureConverterPath = fileURLToPath(new URL('./failure-converter.cjs', import.meta.url));
  return { failureConverterPath, payloadCodecs: [codec] };
}
