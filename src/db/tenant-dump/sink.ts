import type { Readable } from 'node:stream';
import type { StoredFile } from '../../contracts/dump.ts';

/** Where a dump is written to. */
export interface DumpSink {
  /**
   * Takes a stream to its end. @param name of the file, in its dump's folder
   * @throws StepError when it could not be stored; the stream is destroyed
   */
  write(name: string, content: Readable | string): Promise<StoredFile>;
}
