import { z } from 'zod';
import { answers, type TenantEvent } from './api-answers.ts';
import { AccessLostError, ApiUnreachableError } from './api-errors.ts';
import { answerOf, credentialFor, headersOf, refusal, send, type Door } from './api-exchange.ts';

/** What a stream shows besides its events. */
export interface StreamSigns {
  /** The API has answered. */
  readonly onOpen?: () => void;
  /** An event or a heartbeat came. */
  readonly onSign?: () => void;
}

const endOfStream = z.object({ reason: z.string(), message: z.string() });

/**
 * Events after an id, as they come; ends when the connection does, or when the API says that it is to be opened again.
 * @throws AccessLostError when the API says that the credential does not give it any more; ApiUnreachableError when it says that it cannot read
 */
export async function* streamOf(
  door: Door,
  path: string,
  after: number,
  signal: AbortSignal,
  { onOpen, onSign }: StreamSigns = {},
): AsyncGenerator<TenantEvent> {
  const url = `${door.baseUrl}${path}`;
  const credential = await credentialFor(door);
  const headers = { accept: 'text/event-stream', 'last-event-id': `${after}` };
  const response = await send(url, { signal }, headersOf(headers, credential));
  if (!response.ok)
    throw refusal(response, await answerOf(response, credential).catch(() => undefined), url, credential);
  onOpen?.();
  if (!response.body) return;
  const decoder = new TextDecoder();
  let buffered = '';
  for await (const chunk of response.body) {
    buffered += decoder.decode(chunk as Uint8Array, { stream: true });
    const frames = buffered.split('\n\n');
    buffered = frames.pop() ?? '';
    for (const frame of frames) {
      const lines = frame.split('\n');
      const data = lines.find((line) => line.startsWith('data: '))?.slice('data: '.length);
      if (data !== undefined && lines.includes('event: end')) {
        const { reason, message } = endOfStream.parse(JSON.parse(data));
        if (reason === 'access-lost') throw new AccessLostError(message);
        if (reason === 'unavailable') throw new ApiUnreachableError(message);
        return;
      }
      if (data !== undefined || frame.startsWith(':')) onSign?.();
      if (data !== undefined) yield answers.event.parse(JSON.parse(data));
    }
  }
}
