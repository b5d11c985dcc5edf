import { describe, expect, it } from '@jest/globals';
import jsonpatch from 'fast-json-patch';
import type { JsonObject } from '../../src/admission/json.ts';
import { isObject, ownList } from '../../src/admission/json.ts';
import { mutate } from '../../src/admission/mutate.ts';
import { parseReview } from '../../src/admission/review.ts';
import { createResolver } from '../../src/identity/resolve.ts';
import { reviewOf, toldBy } from '../support/stories.ts';

const ROLE = 'arn:aws:iam::111122223333:role/app';

async function comparisonOf(pod: JsonObject, { flags = [] as string[], role = ROLE } = {}) {
  const told = toldBy(flags);
  const { settings } = told;
  const surroundings = () => told.surroundings;
  const annotations: Record<string, string> = role === '' ? {} : { 'eks.amazonaws.com/role-arn': role };
  const identityOf = createResolver({
    settings,
    surroundings,
    now: () => 0,
    lookup: async () => ({ kind: 'found', account: { annotations } }),
  });
  const decision = await mutate(
    parseReview(reviewOf({ namespace: 'default' }, pod)),
    { settings, surroundings, identityOf, comparing: true },
    1_000,
  );
  return { decision, comparison: decision.comparison };
}

const bare: JsonObject = { metadata: {}, spec: { serviceAccountName: 'app', containers: [{ name: 'main' }] } };

async function injected(): Promise<JsonObject> {
  const { decision } = await comparisonOf(bare);
  if (decision.kind !== 'patch') throw new Error(decision.reason);
  return jsonpatch.applyPatch(structuredClone(bare), structuredClone([...decision.operations])).newDocument;
}

describe('a shadow beside another webhook', () => {
  it('has nothing to compare in a pod without identity', async () => {
    expect((await comparisonOf(bare)).comparison).toBeUndefined();
  });

  it('finds the same where the other one did what this one would do', async () => {
    expect((await comparisonOf(await injected())).comparison).toEqual({ result: 'same' });
  });

  it.each([
    ['another role', { role: 'arn:aws:iam::111122223333:role/other' }, 'AWS_ROLE_ARN'],
    ['a variable that is missing', { flags: ['--aws-default-region=eu-west-1'] }, 'AWS_DEFAULT_REGION'],
    ['another audience', { flags: ['--token-audience=amazonaws.com'] }, 'audience'],
    ['another expiration', { flags: ['--token-expiration=3600'] }, 'expirationSeconds'],
    ['an identity where this one gives none', { role: '' }, 'identity'],
  ])('names the field of %s', async (_, options, field) => {
    expect((await comparisonOf(await injected(), options)).comparison).toEqual({ result: 'differs', field });
  });

  it('names what lacks: a mount, the variables of a container, the volume', async () => {
    const pod = await injected();
    const spec = objectOf(pod['spec']);
    const [main] = ownList(spec, 'containers');
    const withoutMount = { ...pod, spec: { ...spec, containers: [{ ...objectOf(main), volumeMounts: [] }] } };
    expect((await comparisonOf(withoutMount)).comparison).toEqual({
      result: 'differs',
      field: '/spec/containers/0/volumeMounts',
    });
    const another = { ...pod, spec: { ...spec, containers: [main, { name: 'another' }] } };
    expect((await comparisonOf(another)).comparison).toEqual({ result: 'differs', field: 'AWS_ROLE_ARN' });
    const withoutVolume = { ...pod, spec: { ...spec, volumes: [] } };
    expect((await comparisonOf(withoutVolume)).comparison).toEqual({ result: 'differs', field: '/spec/volumes' });
  });

  it('compares a pod without a token of its own by its variables', async () => {
    const env = [
      { name: 'AWS_ROLE_ARN', value: ROLE },
      { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/vault/token' },
    ];
    const pod = { metadata: {}, spec: { serviceAccountName: 'app', containers: [{ name: 'main', env }] } };
    expect((await comparisonOf(pod)).comparison).toEqual({ result: 'same' });
  });
});

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
