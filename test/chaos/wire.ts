import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { constants, gunzipSync } from 'node:zlib';

/** A line between a process and a server that can be cut, or made to swallow what the process says. */
export interface Wire {
  /** `host:port`, to be given to the process in the server's place. */
  readonly address: string;
  /** Ends every connection and refuses new ones until {@link Wire.fix}. */
  cut(): void;
  fix(): void;
  /** From now on keeps what the process says; the server's words still arrive. */
  hold(): void;
  /** Whether a message is among what is kept that contains all these texts. */
  holds(...texts: readonly string[]): boolean;
  /** Passes on what was kept. */
  letGo(): void;
  close(): Promise<void>;
}

interface Line {
  readonly near: Socket;
  readonly far: Socket;
  readonly kept: Buffer[];
}

/** Opens a line to `target` (`host:port`) on a free port of 127.0.0.1. */
export async function openWire(target: string): Promise<Wire> {
  const [host = '', port = ''] = target.split(':');
  const lines = new Set<Line>();
  const state = { cut: false, holding: false };
  const server = createServer((near) => {
    if (state.cut) {
      near.resetAndDestroy();
      return;
    }
    const line: Line = { near, far: connect({ host, port: Number(port) }), kept: [] };
    lines.add(line);
    join(line, state, () => lines.delete(line));
  });
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const end = () => {
    for (const { near, far } of lines) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => {
      state.cut = true;
      end();
    },
    fix: () => {
      state.cut = false;
    },
    hold: () => {
      state.holding = true;
    },
    holds: (...texts) =>
      [...lines]
        .flatMap(({ kept }) => messagesIn(Buffer.concat(kept)))
        .some((message) => texts.every((text) => message.includes(text))),
    letGo: () => {
      state.holding = false;
      for (const { far, kept } of lines) for (const words of kept.splice(0)) far.write(words);
    },
    close: async () => {
      end();
      server.close();
      await once(server, 'close');
    },
  };
}

const gzipMagic = Buffer.from([0x1f, 0x8b, 0x08]);

/** Temporal's SDK compresses each message by itself; one that is cut short is read as far as it goes. */
function messagesIn(words: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = words.indexOf(gzipMagic); at >= 0; at = words.indexOf(gzipMagic, at + 1)) {
    try {
      messages.push(gunzipSync(words.subarray(at), { finishFlush: constants.Z_SYNC_FLUSH }));
    } catch {
      // Three bytes that looked like the begin of one.
    }
  }
  return messages;
}

function join({ near, far, kept }: Line, state: { readonly holding: boolean }, ended: () => void): void {
  near.on('data', (words: Buffer) => {
    if (state.holding) kept.push(words);
    else far.write(words);
  });
  far.on('data', (words: Buffer) => near.write(words));
  for (const [one, other] of [
    [near, far],
    [far, near],
  ] as const) {
    // Either end may vanish at any moment: that is what the line is for.
    one.on('error', () => undefined);
    one.on('close', () => {
      other.destroy();
      ended();
    });
  }
}
