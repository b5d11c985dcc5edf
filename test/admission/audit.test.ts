// Stored pods of all kinds, and what an audit says of them; and that it finds nothing in what mutate() has made.
import { describe, expect, it } from '@jest/globals';
import jsonpatch from 'fast-json-patch';
import type { PodAudit } from '../../src/admission/audit.ts';
import { auditPod } from '../../src/admission/audit.ts';
import type { Identity, IdentityAnswer } from '../../src/admission/identity.ts';
import type { JsonObject } from '../../src/admission/json.ts';
import { isObject } from '../../src/admission/json.ts';
import { mutate } from '../../src/admission/mutate.ts';
import type { Settings } from '../../src/admission/settings.ts';
import { parseCommandLine } from '../../src/cli.ts';
import { settingsFrom } from '../../src/settings-from-flags.ts';

const role = 'arn:aws:iam::111122223333:role/app';
const account = { namespace: 'shop', name: 'web' };
const identity: Identity = { method: 'sts_web_identity', source: 'service-account', roleArn: role };
const agent: Identity = { method: 'container_credentials', source: 'container-credentials-file' };

function settings(...flags: readonly string[]): Settings {
  const line = parseCommandLine(['serve', ...flags], {});
  if (line.kind !== 'run') throw new Error('want a run');
  return settingsFrom(line.flags, []);
}

function deps(answer: Identity | IdentityAnswer, ...flags: readonly string[]) {
  const given: IdentityAnswer = 'kind' in answer ? answer : { kind: 'identity', identity: answer, warnings: [] };
  return {
    identityOf: async () => given,
    settings: settings(...flags),
    surroundings: () => ({ region: 'eu-central-1' }),
  };
}

function pod(spec: object = {}, metadata: object = {}): JsonObject {
  return {
    metadata: { namespace: 'shop', name: 'web-1', uid: 'u', ...metadata },
    spec: { serviceAccountName: 'web', containers: [{ name: 'app' }], ...spec },
    status: { phase: 'Running' },
  };
}

/** As it is stored after the webhook has seen it. */
async function stored(as: Identity, before: JsonObject = pod(), ...flags: readonly string[]): Promise<JsonObject> {
  const review = {
    apiVersion: 'admission.k8s.io/v1',
    uid: 'u',
    namespace: 'shop',
    resource: 'pods',
    subResource: '',
    operation: 'CREATE',
    dryRun: false,
    pod: before,
  } as const;
  const decision = await mutate(review, deps(as, ...flags), Infinity);
  const operations = decision.kind === 'patch' ? decision.operations : [];
  const after: unknown = jsonpatch.applyPatch(structuredClone(before), structuredClone([...operations])).newDocument;
  if (!isObject(after)) throw new Error('want a pod');
  return after;
}

async function audited(
  one: JsonObject,
  answer: Identity | IdentityAnswer,
  ...flags: readonly string[]
): Promise<PodAudit> {
  return auditPod(one, deps(answer, ...flags), Infinity);
}

const none: IdentityAnswer = { kind: 'none', reason: 'no-role', warnings: [] };

describe('auditPod', () => {
  it.each([
    ['with a role', identity, pod()],
    ['with a role and an audience of its own', { ...identity, audience: 'other' }, pod()],
    ['with EKS Pod Identity', agent, pod()],
    [
      'of several containers',
      identity,
      pod({ initContainers: [{ name: 'init' }], containers: [{ name: 'a' }, { name: 'b' }] }),
    ],
    ['on Windows', identity, pod({ os: { name: 'windows' } })],
    [
      'with a role of its own',
      identity,
      pod({ containers: [{ name: 'app', env: [{ name: 'AWS_ROLE_ARN', value: 'own' }] }] }),
    ],
    [
      'with another token of its own',
      identity,
      pod({
        containers: [
          {
            name: 'app',
            env: [
              { name: 'AWS_ROLE_ARN', value: 'own' },
              { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/own' },
            ],
          },
        ],
      }),
    ],
    ['that opted out', identity, pod({}, { labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': '' } })],
    ['of another webhook', identity, pod({}, { labels: null })],
  ])('finds a pod %s right once it was injected', async (_, as, before) => {
    const flags = ['--aws-default-region=eu-central-1'];
    expect(await audited(await stored(as, before, ...flags), as, ...flags)).toEqual({ kind: 'right' });
  });

  it.each([
    ['that has no role', pod(), none],
    [
      'whose own variables name a role',
      pod({ containers: [{ name: 'app', env: [{ name: 'AWS_ROLE_ARN', value: 'own' }] }] }),
      none,
    ],
    ['without anything', {}, none],
  ])('finds a pod %s right as it is', async (_, one, answer) => {
    expect(await audited(one, answer)).toEqual({ kind: 'right' });
  });

  it('finds what a pod has missed', async () => {
    expect(await audited(pod(), identity)).toEqual({
      kind: 'missed',
      account,
      evidence:
        'it lacks volume aws-iam-token, AWS_DEFAULT_REGION, AWS_REGION, AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE, mount aws-iam-token',
      roleArn: role,
    });
    expect(await audited(pod({}, { labels: { app: 'web' } }), agent)).toEqual({
      kind: 'missed',
      account,
      evidence:
        'it lacks volume eks-pod-identity-token, its label, AWS_DEFAULT_REGION, AWS_REGION, AWS_CONTAINER_CREDENTIALS_FULL_URI, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, mount eks-pod-identity-token',
    });
  });

  it('finds a pod that demands an identity and has none', async () => {
    const demanding = pod({}, { labels: { 'eks.amazonaws.com/pod-identity-required': 'true' } });
    expect(await audited(demanding, none)).toEqual({
      kind: 'missed',
      account,
      evidence: 'it demands an identity and has none: no-role',
    });
  });

  it('finds that a pod which demands an identity has one that its account no longer has', async () => {
    const demanding = pod({}, { labels: { 'eks.amazonaws.com/pod-identity-required': 'true' } });
    expect(await audited(await stored(identity, demanding), none)).toEqual({
      kind: 'stale',
      account,
      evidence: `it has role "${role}", and its account has none: no-role`,
    });
  });

  it('finds another role than the account’s', async () => {
    const other = 'arn:aws:iam::111122223333:role/new';
    expect(await audited(await stored(identity), { ...identity, roleArn: other })).toEqual({
      kind: 'stale',
      account,
      evidence: `container app has role "${role}", its account "${other}"`,
      roleArn: other,
    });
    const windows = await stored(identity, pod({ os: { name: 'windows' }, containers: [{}] }));
    expect(await audited(windows, { ...identity, roleArn: other })).toEqual({
      kind: 'stale',
      account,
      evidence: `container  has role "${role}", its account "${other}"`,
      roleArn: other,
    });
  });

  it('finds another audience than the account’s', async () => {
    expect(await audited(await stored({ ...identity, audience: 'old' }), identity)).toEqual({
      kind: 'stale',
      account,
      evidence: 'its token is for "old", its account asks for "sts.amazonaws.com"',
      roleArn: role,
    });
  });

  it('finds a role that the account no longer has', async () => {
    expect(await audited(await stored(identity), { ...none, reason: 'service-account-not-found' })).toEqual({
      kind: 'stale',
      account,
      evidence: `it has role "${role}", and its account has none: service-account-not-found`,
    });
  });

  it('reads an account whose method has changed as its webhook does', async () => {
    const both = await stored(agent, await stored(identity));
    expect(await audited(both, agent)).toEqual({ kind: 'right' });
    const unnamed = {
      kind: 'identity',
      identity: { method: 'sts_web_identity', source: 'namespace' },
      warnings: [],
    } as const;
    expect(await audited(await stored(identity), unnamed)).toEqual({
      kind: 'stale',
      account,
      evidence: `container app has role "${role}", its account ""`,
    });
  });

  it('leaves alone what has another kind of token in the volume', async () => {
    const before = pod({
      volumes: [
        {
          name: 'aws-iam-token-own',
          projected: { sources: [{ serviceAccountToken: { path: 'token' } }, { secret: {} }] },
        },
        { name: 'own', projected: { sources: [{ serviceAccountToken: { path: 'token', audience: 'own' } }] } },
        {},
      ],
    });
    expect(await audited(await stored(identity, before), identity)).toEqual({ kind: 'right' });
  });

  it.each([
    [{ phase: 'Succeeded' }, {}],
    [{ phase: 'Failed' }, {}],
    [{ phase: 'Running' }, { deletionTimestamp: '2026-01-01T00:00:00Z' }],
  ])('passes over pods that have ended: %j %j', async (status, metadata) => {
    expect(await audited({ ...pod({}, metadata), status }, identity)).toEqual({ kind: 'ended' });
  });

  it.each([
    [{ kind: 'unknown', reason: 'lookup-failed' } as const, 'lookup-failed'],
    [{ kind: 'none', reason: 'service-account-not-in-input', warnings: [] } as const, 'service-account-not-in-input'],
  ])('does not judge what it does not know: %j', async (answer, reason) => {
    expect(await audited(pod(), answer)).toEqual({ kind: 'unknown', reason });
  });

  it('asks for the account once', async () => {
    let count = 0;
    const counting = {
      ...deps(identity),
      identityOf: async (): Promise<IdentityAnswer> => {
        count += 1;
        return { kind: 'identity', identity, warnings: [] };
      },
    };
    await auditPod(await stored(identity), counting, Infinity);
    expect(count).toBe(1);
  });

  it('takes a pod without namespace for one of default', async () => {
    const { kind, account: found } = {
      account: undefined,
      ...(await audited({ spec: { containers: [{ name: 'a' }] } }, identity)),
    };
    expect([kind, found]).toEqual(['missed', { namespace: 'default', name: 'default' }]);
  });
});
