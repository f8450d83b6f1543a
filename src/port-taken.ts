import type { Server } from 'node:http';

/** Another process listens where this one was told to. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
}

export function isPortTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

/** Listens on a port of all addresses. @param taken what is said when another process has it @throws PortTakenError */
export function listenOn(server: Server, port: number, taken: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(isPortTaken(cause) ? new PortTakenError(taken, { cause }) : cause));
    server.listen(port, () => resolve(server));
  });
}
