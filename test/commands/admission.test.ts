// What a webhook's answer does to a pod, and the sentences on answers that are not right.
import { describe, expect, test } from '@jest/globals';
import { admissionFrom } from '../../src/commands/admission.ts';

const POD = { metadata: { name: 'web' }, spec: { containers: [{ name: 'web' }] } };
const OPERATION = { op: 'add', path: '/spec/containers/0/env', value: [{ name: 'AWS_ROLE_ARN', value: 'arn' }] };

describe('admissionFrom', () => {
  test('applies the patch, and tells what was decided', () => {
    const audit = { reason: 'injected', method: 'sts_web_identity', 'role-arn': 'arn' };
    expect(admissionOf({ ...patched([OPERATION]), auditAnnotations: audit })).toEqual({
      operations: [OPERATION],
      reason: 'injected',
      method: 'sts_web_identity',
      roleArn: 'arn',
      patched: { ...POD, spec: { containers: [{ name: 'web', env: OPERATION.value }] } },
    });
  });

  const injected = { auditAnnotations: { reason: 'injected' } };
  const wrong: readonly (readonly [about: string, response: object, sentence: string])[] = [
    [
      'another review’s answer',
      { uid: '2', allowed: true },
      'the webhook\'s answer is not one to the review 1: {"response":{"uid":"2","allowed":true}}',
    ],
    ['a refusal', { allowed: false }, 'the webhook refused the pod: {"response":{"uid":"1","allowed":false}}'],
    [
      'no patch',
      { allowed: true, auditAnnotations: { reason: 'no-role' } },
      'the webhook let the pod in without an identity, reason no-role: the ServiceAccount names no IAM role; annotate it with eks.amazonaws.com/role-arn=<ARN of the role> and create the pod again',
    ],
    [
      'no patch for a reason of another program',
      { allowed: true, auditAnnotations: { reason: 'toString' } },
      'the webhook let the pod in without an identity, reason toString',
    ],
    [
      'a patch that is none',
      { allowed: true, patchType: 'JSONPatch', patch: 'bm9uZQ==', ...injected },
      'the webhook\'s patch cannot be read: {"response":{"uid":"1","allowed":true,"patchType":"JSONPatch","patch":"bm9uZQ==","auditAnnotations":{"reason":"injected"}}}',
    ],
    [
      'a patch that does not apply',
      { ...patched([{ op: 'add', path: '/none/x', value: 1 }]), ...injected },
      "the webhook's patch does not apply: OPERATION_PATH_CANNOT_ADD",
    ],
  ];

  test.each(wrong)('says so of %s', (_about, response, sentence) => {
    expect(admissionOf(response)).toBe(sentence);
  });

  test('says so of what is no answer', () => {
    expect([
      admissionFrom({ status: 404, body: 'nothing here' }, POD, '1'),
      admissionFrom({ status: 200, body: 'hello' }, POD, '1'),
    ]).toEqual([
      'the webhook answered HTTP 404 where it must answer 200: nothing here',
      "the webhook's answer is not one to the review 1: hello",
    ]);
  });
});

function admissionOf(response: object): ReturnType<typeof admissionFrom> {
  return admissionFrom({ status: 200, body: JSON.stringify({ response: { uid: '1', ...response } }) }, POD, '1');
}

function patched(operations: readonly unknown[]): object {
  const patch = Buffer.from(JSON.stringify(operations)).toString('base64');
  return { allowed: true, patchType: 'JSONPatch', patch };
}
