import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';

interface Kept {
  payload: AdapterPayload;
  readonly endsAtMs: number;
}

/** Keeps what the issuer knows in memory, for as long as the issuer is there. */
export function memoryAdapters(): AdapterFactory {
  const all = new Map<string, Map<string, Kept>>();
  return (model) => {
    const kept = all.get(model) ?? new Map<string, Kept>();
    all.set(model, kept);
    return adapterOn(kept);
  };
}

function adapterOn(kept: Map<string, Kept>): Adapter {
  const alive = (entry: Kept | undefined) => (entry && entry.endsAtMs > Date.now() ? entry.payload : undefined);
  const findBy = (field: 'userCode' | 'uid', value: string) =>
    Promise.resolve(alive([...kept.values()].find(({ payload }) => payload[field] === value)));
  return {
    upsert: (id, payload, expiresIn) => {
      const endsAtMs = expiresIn === undefined ? Infinity : Date.now() + expiresIn * 1_000;
      kept.set(id, { payload, endsAtMs });
      return Promise.resolve(undefined);
    },
    find: (id) => Promise.resolve(alive(kept.get(id))),
    findByUserCode: (code) => findBy('userCode', code),
    findByUid: (uid) => findBy('uid', uid),
    consume: (id) => {
      const entry = kept.get(id);
      if (entry) entry.payload = { ...entry.payload, consumed: Math.floor(Date.now() / 1_000) };
      return Promise.resolve(undefined);
    },
    destroy: (id) => {
      kept.delete(id);
      return Promise.resolve(undefined);
    },
    revokeByGrantId: (grantId) => {
      for (const [id, { payload }] of kept) if (payload.grantId === grantId) kept.delete(id);
      return Promise.resolve(undefined);
    },
  };
}
