import { answers, type TenantEvent } from './api-answers.ts';
import { answerOf, credentialFor, headersOf, refusal, send, type Door } from './api-exchange.ts';

/** What a stream shows besides its events. */
export interface StreamSigns {
  /** The API has answered. */
  readonly onOpen?: () => void;
  /** An event or a heartbeat came. */
  readonly onSign?: () => void;
}

/** Events after an id, as they come; ends when the connection does. */
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
      const data = frame.split('\n').find((line) => line.startsWith('data: '));
      if (data !== undefined || frame.startsWith(':')) onSign?.();
      if (data !== undefined) yield answers.event.parse(JSON.parse(data.slice('data: '.length)));
    }
  }
}
