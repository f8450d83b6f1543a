/** In ms. */
export interface StreamTimes {
  /** Between two signs of life where nothing happens: proxies end what is silent for longer. */
  readonly heartbeatMs: number;
  /** The safety net for notifications that were lost. */
  readonly pollMs: number;
  /** How often the credential that opened a stream is asked for again. */
  readonly recheckMs: number;
  /** For how long a stream goes on while nobody can tell whether its credential still stands. */
  readonly unknownMs: number;
  /** For how long a client may take in nothing of what is sent. */
  readonly stallMs: number;
}

export const defaultStreamTimes: StreamTimes = {
  heartbeatMs: 15_000,
  pollMs: 2_000,
  recheckMs: 30_000,
  unknownMs: 5 * 60_000,
  stallMs: 30_000,
};
