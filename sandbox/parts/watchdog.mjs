// Ends what its parent left behind. The parent holds the other end of our standard input: when that closes, for whatever
// reason (SIGKILL included), every process group still registered is stopped, and every temporary directory removed.
// Plain JavaScript, so that it is up in milliseconds. The protocol is one JSON object a line; see supervisor.ts.
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const groups = new Map();
const directories = new Set();

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
for await (const line of createInterface({ input: process.stdin })) apply(JSON.parse(line));
await Promise.all([...groups.values()].map(end));
await Promise.all([...directories].map((path) => rm(path, { recursive: true, force: true, maxRetries: 5 })));

function apply(message) {
  if (message.watch) groups.set(message.watch.pid, message.watch);
  if (message.unwatch) groups.delete(message.unwatch);
  if (message.remove) directories.add(message.remove);
  if (message.keep) directories.delete(message.keep);
}

async function end({ pid, signal, graceMs }) {
  send(pid, 'SIGCONT');
  send(pid, signal);
  for (const deadline = Date.now() + graceMs; Date.now() < deadline; await sleep(50)) {
    if (!send(pid, 0)) return;
  }
  send(pid, 'SIGKILL');
}

/** False when the group is gone. */
function send(pid, signal) {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}
