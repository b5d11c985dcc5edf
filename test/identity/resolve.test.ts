import { describe, expect, it } from '@jest/globals';
import type { AccountLookup } from '../../src/admission/identity.ts';
import type { ResolverOptions } from '../../src/identity/resolve.ts';
import { createResolver } from '../../src/identity/resolve.ts';
import { settingsOf } from '../support/stories.ts';

const ROLE = 'arn:aws:iam::111122223333:role/app';
const key = { namespace: 'default', name: 'app' };
const withRole: AccountLookup = { kind: 'found', account: { annotations: { 'eks.amazonaws.com/role-arn': ROLE } } };
const withoutRole: AccountLookup = { kind: 'found', account: { annotations: {} } };

async function answerWith(lookup: AccountLookup, options: Partial<ResolverOptions> = {}, live = false) {
  const settings = settingsOf([]);
  const resolve = createResolver({
    settings,
    surroundings: () => ({}),
    now: () => 0,
    lookup: async () => lookup,
    ...options,
  });
  return resolve(key, { timeoutMs: 1_000, live });
}

describe('createResolver', () => {
  it('does not believe that an account has no role before the ConfigMap was read', async () => {
    const configMapEntryOf = () => 'unread' as const;
    expect(await answerWith(withoutRole, { configMapEntryOf })).toEqual({ kind: 'unknown', reason: 'not-synced' });
    expect(await answerWith({ kind: 'not-found' }, { configMapEntryOf })).toEqual({
      kind: 'unknown',
      reason: 'not-synced',
    });
    expect(await answerWith(withRole, { configMapEntryOf })).toMatchObject({ kind: 'identity' });
  });

  it('knows no identity at all before the container-credentials file was read, which beats all others', async () => {
    const hasContainerCredentials = () => undefined;
    expect(await answerWith(withRole, { hasContainerCredentials })).toEqual({ kind: 'unknown', reason: 'not-synced' });
  });

  it('tells of accounts that a live lookup did not find, whatever else names a role', async () => {
    let missing = 0;
    const configMapEntryOf = () => ({ key: 'default/app', role: ROLE });
    const answer = await answerWith({ kind: 'not-found' }, { configMapEntryOf, missing: () => void (missing += 1) });
    expect([answer.kind, missing]).toEqual(['identity', 1]);
  });

  it('takes the name of the session from the account also where the ConfigMap names the role', async () => {
    const annotations = { 'eks.amazonaws.com/role-session-name': 'true', 'eks.amazonaws.com/token-expiration': '900' };
    const configMapEntryOf = () => ({ key: 'default/app', role: ROLE });
    expect(await answerWith({ kind: 'found', account: { annotations } }, { configMapEntryOf })).toEqual({
      kind: 'identity',
      identity: { method: 'sts_web_identity', source: 'config-map', roleArn: ROLE, namedSession: true },
      warnings: [],
    });
  });

  it('asks again, live, only where a pod demands an identity and there is no role', async () => {
    const asked: boolean[] = [];
    const lookup: ResolverOptions['lookup'] = async (_, { live }) => {
      asked.push(live);
      return live ? withRole : withoutRole;
    };
    expect(await answerWith(withoutRole, { lookup }, true)).toMatchObject({ kind: 'identity' });
    expect(await answerWith(withoutRole, { lookup })).toMatchObject({ kind: 'none', reason: 'no-role' });
    expect(asked).toEqual([false, true, false]);
  });

  it('does not decide where the namespace is unknown', async () => {
    const namespaceOf = async () => ({ kind: 'unknown', reason: 'lookup-failed' }) as const;
    expect(await answerWith(withRole, { namespaceOf })).toEqual({ kind: 'unknown', reason: 'lookup-failed' });
  });
});
