import { leaseParameterName, leaseTimes, moveParameter, moveParameterName } from '../../accounts-router/fence.ts';
import type { PollingProfile, Step } from '../../contracts/blueprint.ts';
import { accountCopy } from '../../kinds/account-copy/kind.ts';
import { accountFence } from '../../kinds/account-fence/kind.ts';
import { accountLease } from '../../kinds/account-lease/kind.ts';
import { accountStream } from '../../kinds/account-stream/kind.ts';
import { accountSwitch } from '../../kinds/account-switch/kind.ts';
import { ssmParameters } from '../../kinds/ssm-parameters/kind.ts';
import type { MakeStep } from '../step.ts';

/** The step of a move after which routers ask the fence, and the account's rows are copied: what they read in SSM may change. */
export const COPIED = 'copy_rows';
/** The last step of a move. */
export const CLOSED = 'close_fence';

export interface Move {
  readonly accountId: string;
  /** The shared table, which the account's rows are in. */
  readonly table: string;
  /** The account's own. */
  readonly toTable: string;
  readonly leaseSeconds: number;
  /** Steps that make the account's own table, and write the control plane's rows of it. */
  readonly made: readonly string[];
  /** All else, among it the steps that change what others read of the account. */
  readonly changed: readonly string[];
  /** Of the public account: the rows of services in the shared table, which go once no router reads them. */
  readonly rows: string;
}

/**
 * What brings a public account's rows to a table of its own while services read and write them (requirement U-32, docs/accounts.md). The
 * fence closes when all else is done and was looked at once more, so that nothing which may fail or be held comes while writes wait.
 */
export function moveSteps(step: MakeStep, move: Move): Step[] {
  const { accountId, changed, leaseSeconds, made, rows, table, toTable } = move;
  const { awaitMs, settleMs } = leaseTimes(leaseSeconds);
  const [awaited, settle] = [awaitMs / 1_000, settleMs / 1_000];
  const lease = { parameter: leaseParameterName, seconds: leaseSeconds };
  const steps = [
    step(accountFence, { id: 'fence', needs: made, removeAfter: [rows], spec: { table, toTable } }),
    // The last routers that asked the fence have asked SSM anew when it is gone.
    step(accountLease, {
      ...{ id: 'release_routers', needs: ['fence', rows], gone: waitOf(awaitMs) },
      spec: { seconds: 0, removal: { pastCommit: awaited, undone: 0 }, lease },
    }),
    step(ssmParameters, {
      ...{ id: 'announce_move', needs: ['release_routers'] },
      spec: {
        path: `/accounts/${accountId}/`,
        parameters: { [moveParameter]: {} },
        values: { [moveParameter]: toTable },
      },
    }),
    // From when it is ready every router asks the fence. Before the parameter goes, what they read beside it is as it is to be.
    step(accountLease, {
      ...{ id: 'await_routers', needs: ['announce_move'], ready: waitOf(awaitMs), gone: waitOf(settleMs) },
      spec: {
        parameter: { name: moveParameterName(accountId), value: toTable },
        seconds: awaited,
        removal: { pastCommit: settle, undone: settle },
        lease,
      },
    }),
    step(accountStream, { id: 'note_stream', needs: ['await_routers'], spec: { table } }),
    step(accountCopy, { id: COPIED, needs: ['note_stream'], spec: { table, toTable, position } }),
    step(accountSwitch, {
      ...{ id: CLOSED, needs: [COPIED, ...changed], last: true },
      spec: { table, toTable, position },
    }),
  ];
  return steps.map((one) => ({ ...one, transient: true }));
}

const position = { ref: 'note_stream.position' };

/** A wait that is over when it is over: a lease may be a day by then. */
function waitOf(durationMs: number): PollingProfile {
  return { usualMs: Math.max(durationMs, 1_000), deadlineMs: 25 * 60 * 60_000 };
}
