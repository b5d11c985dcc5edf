import { describe, expect, it } from '@jest/globals';
import type { Decision } from '../../src/admission/decision.ts';
import { parseReview, reviewAnswer, silentAnswer } from '../../src/admission/review.ts';
import { reviewOf } from '../support/stories.ts';

const pod = { metadata: { name: 'web' }, spec: { containers: [] } };

describe('parseReview', () => {
  it('reads what the API server sends', () => {
    expect(parseReview(reviewOf({ namespace: 'default', dryRun: true }, pod))).toEqual({
      apiVersion: 'admission.k8s.io/v1',
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      namespace: 'default',
      resource: 'pods',
      subResource: '',
      operation: 'CREATE',
      dryRun: true,
      pod,
    });
  });

  it('takes the least that a person would write by hand', () => {
    const body = {
      apiVersion: 'admission.k8s.io/v1beta1',
      kind: 'AdmissionReview',
      request: { uid: 'x', object: pod },
    };
    expect(parseReview(body)).toEqual({
      apiVersion: 'admission.k8s.io/v1beta1',
      uid: 'x',
      namespace: '',
      resource: 'pods',
      subResource: '',
      operation: 'CREATE',
      dryRun: false,
      pod,
    });
  });

  it('knows the group of a resource, and a kind where no resource is named', () => {
    const deployments = { group: 'apps', version: 'v1', resource: 'deployments' };
    expect(parseReview(reviewOf({ resource: deployments }, {})).resource).toBe('deployments.apps');
    expect(parseReview(reviewOf({ resource: { resource: 'pods' } }, {})).resource).toBe('pods');
    expect(parseReview(reviewOf({ resource: undefined }, { kind: 'Pod' })).resource).toBe('pods');
    expect(parseReview(reviewOf({ resource: undefined }, { kind: 'Service' })).resource).toBe('unknown');
  });

  it('needs no object where none is created', () => {
    expect(parseReview(reviewOf({ operation: 'DELETE', object: null }, pod)).pod).toEqual({});
  });

  const review = reviewOf({}, pod);
  it.each([
    ['null', null, 'not-a-review', 'want an AdmissionReview, got null'],
    ['a list', [], 'not-a-review', 'want an AdmissionReview, got a list'],
    ['a text', 'x', 'not-a-review', 'want an AdmissionReview, got a string'],
    ['no kind', { ...review, kind: undefined }, 'not-a-review', 'want kind AdmissionReview, got nothing'],
    ['another kind', { ...review, kind: 'Pod' }, 'not-a-review', 'want kind AdmissionReview, got "Pod"'],
    [
      'another version',
      { ...review, apiVersion: 'admission.k8s.io/v2' },
      'unsupported-version',
      'want apiVersion admission.k8s.io/v1 or admission.k8s.io/v1beta1, got "admission.k8s.io/v2"',
    ],
    [
      'no request',
      { ...review, request: null },
      'no-uid',
      'AdmissionReview without request.uid: the answer could not be told apart',
    ],
    [
      'a uid that is a number',
      reviewOf({ uid: 1 }, pod),
      'no-uid',
      'AdmissionReview without request.uid: the answer could not be told apart',
    ],
    [
      'no object',
      reviewOf({ object: null }, pod),
      'no-object',
      'AdmissionReview of a CREATE without request.object, got null',
    ],
  ])('refuses %s', (_, body, code, message) => {
    expect(() => parseReview(body)).toThrow(expect.objectContaining({ name: 'ReviewError', code, message }));
  });
});

describe('reviewAnswer', () => {
  const review = parseReview({ ...reviewOf({}, pod), apiVersion: 'admission.k8s.io/v1beta1' });
  const answered = (decision: Exclude<Decision, { kind: 'unknown' }>) => reviewAnswer(review, decision);

  it('gives a patch with its type, the warnings, and what was decided for the audit log', () => {
    const operations = [{ op: 'add', path: '/spec/volumes', value: ['ä'] }] as const;
    const answer = answered({
      kind: 'patch',
      reason: 'injected',
      method: 'sts_web_identity',
      source: 'service-account',
      roleArn: 'arn:aws:iam::111122223333:role/app',
      operations,
      warnings: ['w'],
    });
    expect(answer).toEqual({
      apiVersion: 'admission.k8s.io/v1beta1',
      kind: 'AdmissionReview',
      response: {
        uid: review.uid,
        allowed: true,
        patchType: 'JSONPatch',
        patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
        warnings: ['w'],
        auditAnnotations: {
          decision: 'patch',
          reason: 'injected',
          'role-arn': 'arn:aws:iam::111122223333:role/app',
          method: 'sts_web_identity',
        },
      },
    });
  });

  it('gives neither patch nor patch type where nothing changes', () => {
    expect(answered({ kind: 'skip', reason: 'no-role', warnings: [] })).toEqual({
      apiVersion: 'admission.k8s.io/v1beta1',
      kind: 'AdmissionReview',
      response: { uid: review.uid, allowed: true, auditAnnotations: { decision: 'skip', reason: 'no-role' } },
    });
  });

  it('refuses with 403 and the message', () => {
    expect(answered({ kind: 'refuse', reason: 'no-role', message: 'because', warnings: [] })).toEqual({
      apiVersion: 'admission.k8s.io/v1beta1',
      kind: 'AdmissionReview',
      response: {
        uid: review.uid,
        allowed: false,
        status: { code: 403, reason: 'Forbidden', message: 'because' },
        auditAnnotations: { decision: 'refuse', reason: 'no-role' },
      },
    });
  });

  it('says nothing but yes for a shadow', () => {
    expect(silentAnswer(review)).toEqual({
      apiVersion: 'admission.k8s.io/v1beta1',
      kind: 'AdmissionReview',
      response: { uid: review.uid, allowed: true },
    });
  });
});
