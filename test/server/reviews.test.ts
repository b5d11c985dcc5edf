// Reviews against the running server: what is answered, logged and counted.
import { describe, expect, test } from '@jest/globals';
import type { Decision } from '../../src/admission/decision.ts';
import { ownField } from '../../src/admission/json.ts';
import type { Reply } from '../support/server.ts';
import { appReview, ROLE_ARN, withServer } from '../support/server.ts';
import { reviewOf } from '../support/stories.ts';
import { until } from '../support/until.ts';

const uid = '705ab4f5-6393-11e8-b7cc-42010a800002';

function responseOf({ text }: Reply): unknown {
  return ownField(JSON.parse(text), 'response');
}

const allowedUnchanged = (reason: string): unknown => ({
  uid,
  allowed: true,
  auditAnnotations: { decision: 'skip', reason },
});

test('a pod of an account with a role gets a patch, a log line and a count', async () => {
  await withServer({}, async ({ post, log, recorder }) => {
    const reply = await post(appReview({ dryRun: true }), { path: '/mutate?timeout=5s' });
    expect([reply.status, reply.headers['content-type'], Number(reply.headers['content-length'])]).toEqual([
      200,
      'application/json',
      reply.text.length,
    ]);
    expect(JSON.parse(reply.text)).toEqual({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: {
        uid,
        allowed: true,
        patchType: 'JSONPatch',
        patch: expect.stringMatching(/^[\w+/]+=*$/),
        auditAnnotations: { decision: 'patch', reason: 'injected', 'role-arn': ROLE_ARN, method: 'sts_web_identity' },
      },
    });
    expect(log.lines).toEqual([
      {
        level: 'info',
        message: 'decided',
        fields: {
          uid,
          namespace: 'default',
          pod: 'web-',
          serviceAccount: 'app',
          decision: 'patch',
          reason: 'injected',
          method: 'sts_web_identity',
          roleArn: ROLE_ARN,
          ms: expect.any(Number),
          dryRun: true,
        },
      },
    ]);
    expect(recorder.events.map(([name]) => name)).toEqual(['inFlight', 'inFlight', 'decided', 'requested']);
  });
});

test('the version of the review is the version of the answer', async () => {
  await withServer({}, async ({ post }) => {
    const reply = await post({ ...appReview(), apiVersion: 'admission.k8s.io/v1beta1' });
    expect([reply.status, ownField(JSON.parse(reply.text), 'apiVersion')]).toEqual([200, 'admission.k8s.io/v1beta1']);
  });
});

test.each([
  ['apiVersion v2', { ...appReview(), apiVersion: 'admission.k8s.io/v2' }],
  ['another kind', { ...appReview(), kind: 'Pod' }],
  ['no uid', appReview({ uid: undefined })],
  ['an empty uid', appReview({ uid: '' })],
  ['a uid that is no text', appReview({ uid: 7 })],
  ['request null', { ...appReview(), request: null }],
  ['CREATE with object null', appReview({ object: null })],
])('%s is a 400 with a sentence', async (_, review) => {
  await withServer({}, async ({ post, log, recorder }) => {
    const reply = await post(review);
    expect([reply.status, JSON.parse(reply.text)]).toEqual([
      400,
      { error: expect.stringMatching(/^(want|Admission)/) },
    ]);
    expect([log.lines, recorder.of('decided')]).toEqual([[], []]);
  });
});

test.each([
  ['UPDATE', { operation: 'UPDATE' }, 'not-create'],
  ['DELETE without object', { operation: 'DELETE', object: null }, 'not-create'],
  [
    'CONNECT to pods/exec',
    { operation: 'CONNECT', subResource: 'exec', object: { kind: 'PodExecOptions', command: ['sh'] } },
    'sub-resource',
  ],
  ['pods/ephemeralcontainers', { operation: 'UPDATE', subResource: 'ephemeralcontainers' }, 'sub-resource'],
  [
    'a Deployment',
    { resource: { group: 'apps', version: 'v1', resource: 'deployments' }, object: { kind: 'Deployment' } },
    'not-a-pod',
  ],
])('%s is let in without a patch', async (_, request, reason) => {
  await withServer({}, async ({ post }) => {
    expect(responseOf(await post(appReview(request)))).toEqual(allowedUnchanged(reason));
  });
});

describe('a decision that cannot be taken now', () => {
  const reasons = ['not-synced', 'lookup-failed', 'account-id-unknown', 'overloaded'] as const;
  test.each(reasons)('%s is a 503 that the API server tries again', async (reason) => {
    const decision: Decision = { kind: 'unknown', reason, warnings: [] };
    await withServer({ mutate: async () => decision }, async ({ post, log, recorder }) => {
      const reply = await post(appReview());
      expect([reply.status, reply.headers['retry-after'], reply.headers.connection, JSON.parse(reply.text)]).toEqual([
        503,
        '1',
        'keep-alive',
        { error: `no decision now: ${reason}` },
      ]);
      expect(log.lines.map(({ fields }) => [fields['decision'], fields['reason']])).toEqual([['unknown', reason]]);
      expect(recorder.of('decided')).toEqual([[{ kind: 'unknown', reason, seconds: expect.any(Number) }]]);
    });
  });

  test('more reviews than may wait at once are refused at once, and taken when there is room', async () => {
    const waiting: (() => void)[] = [];
    const mutate = async (): Promise<Decision> =>
      new Promise((resolve) => {
        waiting.push(() => resolve({ kind: 'skip', reason: 'no-role', warnings: [] }));
      });
    await withServer({ mutate, maxInFlight: 2 }, async ({ post }) => {
      const first = [post(appReview()), post(appReview())];
      await until('two reviews wait', () => waiting.length === 2);
      const start = performance.now();
      const shed = await post(appReview());
      expect([shed.status, shed.headers['retry-after'], performance.now() - start < 500]).toEqual([503, '1', true]);
      for (const go of waiting.splice(0)) go();
      expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200]);
      const last = post(appReview());
      await until('a review waits', () => waiting.length === 1);
      for (const go of waiting) go();
      expect((await last).status).toBe(200);
    });
  });
});

test('a pod that demands an identity and gets none is refused with the reason', async () => {
  const pod = { metadata: { name: 'web', labels: { 'eks.amazonaws.com/pod-identity-required': 'true' } }, spec: {} };
  await withServer({}, async ({ post, log }) => {
    expect(responseOf(await post(reviewOf({ namespace: 'shop' }, pod)))).toEqual({
      uid,
      allowed: false,
      status: {
        code: 403,
        reason: 'Forbidden',
        message: expect.stringMatching(/namespace shop, ServiceAccount default/),
      },
      auditAnnotations: { decision: 'refuse', reason: 'no-role' },
    });
    expect(log.lines.map(({ fields }) => [fields['pod'], fields['decision']])).toEqual([['web', 'refuse']]);
  });
});

describe('a shadow decides, logs and counts, and lets every pod in as it is, when the decision is', () => {
  const base = { warnings: ['mind this'] };
  test.each<Decision>([
    { ...base, kind: 'patch', reason: 'injected', method: 'sts_web_identity', operations: [] },
    { ...base, kind: 'skip', reason: 'already-injected', comparison: { result: 'differs', field: 'audience' } },
    { ...base, kind: 'refuse', reason: 'no-role', message: 'no' },
    { ...base, kind: 'unknown', reason: 'not-synced' },
  ])('$kind', async (decision) => {
    await withServer({ mutate: async () => decision, shadow: true }, async ({ post, log, recorder }) => {
      const reply = await post(appReview());
      expect([reply.status, responseOf(reply)]).toEqual([200, { uid, allowed: true }]);
      const { reason, comparison } = decision;
      expect(log.lines.map(({ fields }) => fields)).toMatchObject([
        { decision: decision.kind, reason, shadow: true, warnings: ['mind this'], ...(comparison && { comparison }) },
      ]);
      expect(recorder.of('decided')).toMatchObject([[{ kind: decision.kind, reason }]]);
    });
  });
});

test('an exception nobody expected is a 500 without a word of it; the log has the stack', async () => {
  await withServer(
    { mutate: async () => Promise.reject(new Error('secret detail')) },
    async ({ post, log, recorder }) => {
      const reply = await post(appReview());
      expect([reply.status, reply.text]).toEqual([
        500,
        '{"error":"unexpected error; the log of the webhook has more"}\n',
      ]);
      expect(log.lines).toEqual([
        { level: 'error', message: 'unexpected error', fields: { error: new Error('secret detail'), path: '/mutate' } },
      ]);
      expect([recorder.of('failedUnexpectedly'), recorder.of('inFlight')]).toEqual([[['mutate']], [[1], [-1]]]);
    },
  );
});

test.each([
  ['/mutate', 4_400, 4_500],
  ['/mutate?timeout=5s', 4_400, 4_500],
  ['/mutate?timeout=10s', 9_400, 9_500],
  ['/mutate?timeout=1m0s', 29_400, 29_500],
  ['/mutate?timeout=1s', 400, 500],
  ['/mutate?timeout=500ms', 100, 100],
  ['/mutate?timeout=-3s', 100, 100],
  ['/mutate?timeout=soon', 4_400, 4_500],
  ['/mutate?timeout=', 4_400, 4_500],
])('%s leaves %i to %i ms for the decision', async (path, least, most) => {
  const seen: number[] = [];
  const decision: Decision = { kind: 'skip', reason: 'no-role', warnings: [] };
  await withServer({ mutate: async (_, timeoutMs) => (seen.push(timeoutMs), decision) }, async ({ post }) => {
    await post(appReview(), { path });
    expect(seen.map((timeoutMs) => timeoutMs >= least && timeoutMs <= most)).toEqual([true]);
  });
});

describe('a client that goes away', () => {
  const bytes = JSON.stringify(appReview());
  const head = `POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${bytes.length}\r\n\r\n`;

  test('before its body was read starts no decision', async () => {
    let decisions = 0;
    const mutate = async (): Promise<Decision> => {
      decisions += 1;
      return { kind: 'skip', reason: 'no-role', warnings: [] };
    };
    await withServer({ mutate }, async ({ connect, post, recorder, log }) => {
      const socket = await connect();
      socket.write(head + bytes.slice(0, 50));
      await new Promise((resolve) => setTimeout(resolve, 50));
      socket.destroy();
      await until('the request is over', () => recorder.of('requested').length === 1);
      await post(appReview());
      expect([decisions, log.lines.length, recorder.of('failedUnexpectedly')]).toEqual([1, 1, []]);
    });
  });

  test('during the decision is not answered; the log says so, and nothing stays in flight', async () => {
    const decision = Promise.withResolvers<Decision>();
    await withServer({ mutate: async () => decision.promise }, async ({ connect, recorder, log }) => {
      const socket = await connect();
      socket.write(head + bytes);
      await until('the review waits', () => recorder.of('inFlight').length === 1);
      socket.destroy();
      await until('the request is over', () => recorder.of('requested').length === 1);
      decision.resolve({ kind: 'skip', reason: 'no-role', warnings: [] });
      await until('the decision is logged', () => log.lines.length === 1);
      expect(log.lines.map(({ fields }) => fields)).toMatchObject([{ decision: 'skip', unanswered: true }]);
      expect(recorder.of('requested')).toMatchObject([[{ code: 499 }]]);
      expect([recorder.of('inFlight'), recorder.of('failedUnexpectedly')]).toEqual([[[1], [-1]], []]);
    });
  });
});

test('lets a pod in also where a shadow meets an unexpected error, which is counted', async () => {
  const mutate = async (): Promise<never> => Promise.reject(new Error('nobody expected this'));
  await withServer({ mutate, shadow: true }, async ({ post, log, recorder }) => {
    const { status, text } = await post(reviewOf({ namespace: 'default' }, {}));
    const answer: unknown = JSON.parse(text);
    expect({ status, answer }).toMatchObject({
      status: 200,
      answer: { response: { allowed: true } },
    });
    expect(log.messages()).toContain('error unexpected error');
    expect(recorder.of('failedUnexpectedly')).toEqual([['mutate']]);
  });
});
