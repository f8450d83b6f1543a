import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { EncryptionCodec } from './codec.ts';

/** The data converter of every client and worker of this installation. */
export function createDataConverter(payloadKeys: readonly Buffer[]): DataConverter {
  return {
    failureConverterPath: fileURLToPath(new URL('./failure-converter.cjs', import.meta.url)),
    payloadCodecs: [new EncryptionCodec(payloadKeys)],
  };
}
