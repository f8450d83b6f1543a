import { setTimeout as sleep } from 'node:timers/promises';
import type { EventView } from '../../src/client/views.ts';

export interface Frame {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: unknown;
}

/** A live stream that is read as it comes. */
export interface OpenStream {
  readonly response: Response;
  /** Frames that tell of an event of the tenant. */
  readonly events: readonly EventView[];
  /** What the last frame says, when the API ended the stream. */
  end(): { readonly reason: string; readonly message: string } | undefined;
  beats(): number;
  readonly frames: readonly Frame[];
  /** Resolves once nothing more comes. */
  readonly over: Promise<void>;
  close(): void;
}

export async function openStream(url: string, headers: Record<string, string> = {}): Promise<OpenStream> {
  const connection = new AbortController();
  const response = await fetch(url, {
    signal: connection.signal,
    headers: { accept: 'text/event-stream', ...headers },
  });
  const frames: Frame[] = [];
  const events: EventView[] = [];
  let beats = 0;
  const take = (text: string) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1];
    if (text === ': heartbeat') beats += 1;
    const data = field('data');
    if (data === undefined) return;
    const frame = { id: field('id'), event: field('event'), data: JSON.parse(data) as unknown };
    frames.push(frame);
    if (frame.event !== 'end') events.push(frame.data as EventView);
  };
  const reading = async () => {
    if (!response.body) return;
    let text = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const parts = text.split('\n\n');
      text = parts.pop() ?? '';
      parts.forEach(take);
    }
  };
  return {
    response,
    events,
    frames,
    end: () => frames.find(({ event }) => event === 'end')?.data as { reason: string; message: string } | undefined,
    beats: () => beats,
    over: reading().catch(() => undefined),
    close: () => connection.abort(),
  };
}

/** Waits for at most 10 s. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within 10 s: ${what}`);
    await sleep(10);
  }
}
