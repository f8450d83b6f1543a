/** Lets so many of one caller's requests be answered at a time; others of the same caller wait for their turn. */
export interface Turns {
  /**
   * @param signal ends the wait
   * @returns undefined when too many wait already, or it took too long; else to be called once the request is over: a second time does nothing
   */
  wait(key: string, signal: AbortSignal): Promise<(() => void) | undefined>;
}

interface Line {
  running: number;
  readonly waiting: Set<() => void>;
}

/** What waits holds a connection, and nothing of its body has been read. */
export interface Patience {
  readonly mostWaiting: number;
  readonly waitMs: number;
}

const defaultPatience: Patience = { mostWaiting: 100, waitMs: 10_000 };

export function turns(most: number, { mostWaiting, waitMs }: Patience = defaultPatience): Turns {
  const lines = new Map<string, Line>();
  const leave = (key: string, line: Line) => {
    line.running -= 1;
    const [next] = line.waiting;
    if (next) next();
    else if (line.running === 0) lines.delete(key);
  };
  const enter = (key: string, line: Line) => {
    line.running += 1;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      leave(key, line);
    };
  };
  return {
    wait: async (key, signal) => {
      const line = lines.get(key) ?? { running: 0, waiting: new Set() };
      lines.set(key, line);
      if (line.running < most) return enter(key, line);
      if (line.waiting.size >= mostWaiting) return undefined;
      return new Promise((resolve) => {
        const end = (isItsTurn: boolean) => {
          clearTimeout(timer);
          signal.removeEventListener('abort', giveUp);
          line.waiting.delete(onTurn);
          resolve(isItsTurn ? enter(key, line) : undefined);
        };
        const onTurn = () => end(true);
        const giveUp = () => end(false);
        const timer = setTimeout(giveUp, waitMs);
        line.waiting.add(onTurn);
        signal.addEventListener('abort', giveUp);
        if (signal.aborted) giveUp();
      });
    },
  };
}
