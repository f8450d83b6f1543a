/** What a container of the sandbox does, told by its image's tag. */
export type Behavior = 'healthy' | 'unhealthy' | 'crash';

/** Which part of the demo application a container runs, told by its image's repository; `app` is both others in one. */
export type DemoPart = 'app' | 'backend' | 'frontend';

/** One container to run: the demo application behind one listener. */
export interface ContainerRun {
  /** Unique for the life of the host. */
  readonly runId: string;
  readonly part: DemoPart;
  readonly behavior: Behavior;
  readonly healthPaths: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Gateway -> task host. */
export type HostCommand =
  | { readonly type: 'start'; readonly run: ContainerRun }
  | { readonly type: 'stop'; readonly runId: string }
  | { readonly type: 'list'; readonly requestId: number };

/** Task host -> gateway. */
export type HostReport =
  | { readonly type: 'ready' }
  | { readonly type: 'started'; readonly runId: string; readonly port: number }
  | { readonly type: 'exited'; readonly runId: string; readonly exitCode: number; readonly reason: string }
  | { readonly type: 'listeners'; readonly requestId: number; readonly listeners: readonly LocalListener[] };

/** A listener that a task holds on this machine. */
export interface LocalListener {
  readonly runId: string;
  readonly port: number;
}
