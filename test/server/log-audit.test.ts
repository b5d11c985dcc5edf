// What may never be in the log, whatever comes in: values of the environment, annotations, tokens, the pod.
import { expect, test } from '@jest/globals';
import type { Decision } from '../../src/admission/decision.ts';
import { isObject } from '../../src/admission/json.ts';
import { createLog } from '../../src/observe/log.ts';
import type { RunningServer, ServerSetup } from '../support/server.ts';
import { appReview, withServer } from '../support/server.ts';
import { reviewOf } from '../support/stories.ts';

const SECRETS = ['hunter2', 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl', 'annotation-value', 'command-value'];

const pod = {
  metadata: {
    name: 'web\n{"level":"error","msg":"forged"}',
    // A warning may quote the annotations that are ours, in a few characters.
    annotations: { 'example.com/a': 'annotation-value', 'eks.amazonaws.com/skip-containers': '"bad CSV' },
    labels: { 'eks.amazonaws.com/pod-identity-required': 'true' },
  },
  spec: {
    serviceAccountName: 'app',
    containers: [
      { name: 'main', command: ['command-value'], env: SECRETS.map((value, index) => ({ name: `V${index}`, value })) },
    ],
  },
};

/** The lines that the log has written while this ran. */
async function linesOf(setup: ServerSetup, run: (running: RunningServer) => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [];
  const log = createLog({ level: 'trace', format: 'json', destination: { write: (line) => void lines.push(line) } });
  await withServer({ ...setup, log }, run);
  return lines;
}

test('every line is one object, and none has a value of the pod', async () => {
  const review = reviewOf({ namespace: 'default\u2028x' }, pod);
  const bodies = [
    review,
    appReview({ object: null, oldObject: pod }),
    { ...review, apiVersion: SECRETS[1] },
    { ...review, kind: 'hunter2' },
    JSON.stringify(review).slice(0, -3),
    `${JSON.stringify(review)}hunter2`,
    reviewOf({ operation: 'DELETE', resource: { group: 'annotation-value', resource: 'hunter2' } }, pod),
  ];
  const decisions: (Decision | undefined)[] = [
    undefined,
    { kind: 'unknown', reason: 'lookup-failed', warnings: [] },
    { kind: 'refuse', reason: 'no-role', message: 'hunter2', warnings: [] },
  ];
  for (const decision of decisions) {
    const setup = decision === undefined ? {} : { mutate: async () => decision };
    const lines = await linesOf(setup, async ({ post, request }) => {
      for (const body of bodies) await post(body, { headers: { Authorization: 'Bearer hunter2' } });
      await request({ method: 'POST', path: '/elsewhere?token=hunter2' });
    });
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      expect(line.split(/[\r\n\u2028]/)).toHaveLength(2);
      expect(isObject(JSON.parse(line))).toBe(true);
      expect(SECRETS.filter((secret) => line.includes(secret))).toEqual([]);
    }
  }
});

test('what is thrown while a pod is decided is logged without the pod', async () => {
  const thrown = Object.assign(new Error('cannot read properties of undefined'), { pod, review: pod });
  const lines = await linesOf({ mutate: async () => Promise.reject(thrown) }, async ({ post }) =>
    post(reviewOf({}, pod)),
  );
  expect(lines).toHaveLength(1);
  expect(SECRETS.filter((secret) => lines.join('').includes(secret))).toEqual([]);
});
