import type { Caller } from '../src/contracts/caller.ts';

/** Who asks, in whatever is tried here. */
export const caller: Caller = {
  principal: 'a test',
  role: 'platform-admin',
  requestId: '00000000-0000-4000-8000-000000000000',
};
