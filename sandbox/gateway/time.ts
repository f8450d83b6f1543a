/** How long things take in the emulated AWS. Durations in ms; scales multiply what the caller configured in AWS. */
export interface TimeSettings {
  /** From a task's launch to RUNNING. */
  readonly taskStartMs: number;
  /** From the stop signal to STOPPED. */
  readonly taskStopMs: number;
  /** Pause before a service replaces a task that failed. */
  readonly taskRetryMs: number;
  /** Ceiling of the interval between two health checks of a target. */
  readonly targetHealthMs: number;
  /** Multiplies `deregistration_delay.timeout_seconds` (300 s by default). */
  readonly deregistrationDelayScale: number;
  /** Multiplies a service's `healthCheckGracePeriodSeconds`. */
  readonly gracePeriodScale: number;
  /** How long a Route 53 change is PENDING. */
  readonly dnsSyncMs: number;
  /** From the end of a deleted service's last task to INACTIVE. */
  readonly serviceDrainMs: number;
  /** What CloudFormation takes for each resource of a stack, and for a change set. */
  readonly stackResourceMs: number;
  /** Multiplies the `TimeoutInMinutes` of a stack. */
  readonly stackTimeoutScale: number;
}

export type TimePreset = 'fast' | 'demo' | 'aws-like';

/** `fast` is for tests, `demo` for people who watch, `aws-like` for benchmarks. */
export const timePresets: Readonly<Record<TimePreset, TimeSettings>> = {
  fast: {
    taskStartMs: 40,
    taskStopMs: 10,
    taskRetryMs: 20,
    targetHealthMs: 40,
    deregistrationDelayScale: 1 / 3000,
    gracePeriodScale: 1 / 400,
    dnsSyncMs: 80,
    serviceDrainMs: 30,
    stackResourceMs: 25,
    stackTimeoutScale: 1 / 60,
  },
  demo: {
    taskStartMs: 2000,
    taskStopMs: 300,
    taskRetryMs: 500,
    targetHealthMs: 1000,
    deregistrationDelayScale: 1 / 100,
    gracePeriodScale: 1 / 20,
    dnsSyncMs: 3000,
    serviceDrainMs: 500,
    stackResourceMs: 1000,
    stackTimeoutScale: 1,
  },
  'aws-like': {
    taskStartMs: 30_000,
    taskStopMs: 2000,
    taskRetryMs: 5000,
    targetHealthMs: 30_000,
    deregistrationDelayScale: 1,
    gracePeriodScale: 1,
    dnsSyncMs: 40_000,
    serviceDrainMs: 10_000,
    stackResourceMs: 8000,
    stackTimeoutScale: 1,
  },
};

/** True for the name of a preset. */
export function isTimePreset(value: unknown): value is TimePreset {
  return typeof value === 'string' && Object.hasOwn(timePresets, value);
}

/** The gateway's clock: settings that may change while it runs, and timers that all end with it. */
export class Clock {
  #settings: TimeSettings;
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopped = false;

  constructor(settings: TimePreset | TimeSettings) {
    this.#settings = isTimePreset(settings) ? timePresets[settings] : settings;
  }

  get settings(): TimeSettings {
    return this.#settings;
  }

  /** Changes some or all settings; what is already waiting keeps its delay. */
  set(settings: TimePreset | Partial<TimeSettings>): void {
    this.#settings = isTimePreset(settings) ? timePresets[settings] : { ...this.#settings, ...settings };
  }

  /** Runs `action` after the delay, unless the clock is stopped first. Returns what cancels it. */
  after(delayMs: number, action: () => void): () => void {
    if (this.#stopped) return () => undefined;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, delayMs);
    this.#timers.add(timer);
    return () => {
      clearTimeout(timer);
      this.#timers.delete(timer);
    };
  }

  /** Resolves after the delay; never resolves once the clock is stopped. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve);
    });
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
