/** Another process listens where this one was told to. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
}

export function isPortTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}
