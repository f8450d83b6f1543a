import { scopeKey, type Scope } from '../request.ts';
import type { Service, Task } from './model.ts';

/** Services that the gateway owns, by scope, cluster and name. */
export class ServiceStore {
  readonly #services = new Map<string, Service>();

  /** Finds by name or ARN; the cluster may be a name or an ARN too. */
  find(scope: Scope, cluster: string, reference: string): Service | undefined {
    return this.#services.get(keyOf(scope, cluster, reference));
  }

  put(service: Service): void {
    this.#services.set(keyOf(service.scope, service.cluster, service.name), service);
  }

  all(): Service[] {
    return [...this.#services.values()];
  }

  inCluster(scope: Scope, cluster: string): Service[] {
    const name = lastPart(cluster);
    return this.all().filter((s) => scopeKey(s.scope) === scopeKey(scope) && s.cluster === name);
  }

  /** Finds a task by ARN or id. */
  task(scope: Scope, cluster: string, reference: string): { service: Service; task: Task } | undefined {
    const id = lastPart(reference);
    for (const service of this.inCluster(scope, cluster)) {
      const task = service.tasks.find((t) => t.id === id);
      if (task) return { service, task };
    }
    return undefined;
  }
}

/** `arn:...:cluster/name`, `arn:...:service/cluster/name` or a bare name. */
export function lastPart(reference: string): string {
  return reference.slice(reference.lastIndexOf('/') + 1);
}

function keyOf(scope: Scope, cluster: string, service: string): string {
  return `${scopeKey(scope)}|${lastPart(cluster)}|${lastPart(service)}`;
}
