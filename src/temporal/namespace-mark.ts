import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';

/**
 * Id of a run that names the installation whose runs a namespace holds. A run is what every Temporal lets whoever starts runs
 * keep, once per namespace however many ask, for as long as it is open; this one does nothing and never gets a task.
 */
export const NAMESPACE_MARK = 'tenantry.installation';

/** The installation whose runs this namespace holds; undefined when none has taken it. @throws ServiceError */
export async function findHolder(client: Client): Promise<string | undefined> {
  try {
    const { status, taskQueue } = await client.workflow.getHandle(NAMESPACE_MARK).describe();
    if (status.name !== 'RUNNING') return undefined;
    return taskQueue.startsWith(PREFIX) ? taskQueue.slice(PREFIX.length) : taskQueue;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** Takes the namespace unless it is taken. Of many that ask at once one gets it. @returns whose it is */
export async function takeNamespace(client: Client, installationId: string): Promise<string> {
  const holder = await findHolder(client);
  if (holder !== undefined) return holder;
  try {
    await client.workflow.start('TenantryInstallation', {
      workflowId: NAMESPACE_MARK,
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      // Names the installation where no payload key is needed to read it.
      taskQueue: `${PREFIX}${installationId}`,
      startDelay: NEVER,
      args: [],
      staticSummary: `This namespace is of Tenantry installation ${installationId}: leave this run open`,
    });
    return installationId;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return (await findHolder(client)) ?? takeNamespace(client, installationId);
  }
}

/** Takes the namespace from the installation that has it, for good. @returns whose it is: another may have been faster */
export async function takeOverNamespace(client: Client, installationId: string, reason: string): Promise<string> {
  if ((await takeNamespace(client, installationId)) === installationId) return installationId;
  await client.workflow.getHandle(NAMESPACE_MARK).terminate(reason);
  return takeNamespace(client, installationId);
}

const PREFIX = `${NAMESPACE_MARK}.`;
const NEVER = '36500 days';
