// Every story of test/cases, through every way in: the pure core, Express, and real HTTPS. UPDATE_CASES=1 rewrites what
// the stories want: read the diff.
import { createServer, request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import jsonpatch from 'fast-json-patch';
import type { JsonObject } from '../src/admission/json.ts';
import { ownField, ownList, ownString } from '../src/admission/json.ts';
import { mutate } from '../src/admission/mutate.ts';
import type { Operation } from '../src/admission/patch.ts';
import type { Review } from '../src/admission/review.ts';
import { parseReview } from '../src/admission/review.ts';
import { createBodyReader } from '../src/server/body.ts';
import { addressOf } from '../src/server/listen.ts';
import { createRoutes } from '../src/server/routes.ts';
import { createTestLog } from './support/log.ts';
import { createTestRecorder } from './support/recorder.ts';
import { withServer } from './support/server.ts';
import type { Story } from './support/stories.ts';
import { depsOf, outcomeOf, readStories, withPod, writeWant } from './support/stories.ts';
import { STORY_NAMES } from './support/story-names.ts';

const stories = readStories();
const storyOf = new Map(stories.map((story) => [story.file, story]));

describe('the folder of stories', () => {
  it('holds exactly the stories that test/support/story-names.ts names', () => {
    const names = stories.map(({ file }) => file.replace(/\.yaml$/, ''));
    expect(names.toSorted()).toEqual([...STORY_NAMES].toSorted());
  });
});

describe.each(stories)('$file', (story) => {
  it('ends as it says', async () => {
    const outcome = await outcomeThroughCore(story);
    if (process.env['UPDATE_CASES'] === '1') writeWant(story, outcome);
    else expect(outcome).toEqual(story.want);
  });

  it('gets nothing from a second pass', async () => {
    const { pod } = await outcomeThroughCore(story);
    const again = await decide(story, parseReview(withPod(story.review, pod === 'unchanged' ? story.pod : pod)));
    expect(again).not.toMatchObject({ kind: 'patch' });
  });
});

describe('through Express', () => {
  const server = createServer(
    createRoutes({
      mutate: async (review) => decide(storyNamed(review.uid), review),
      readBody: createBodyReader(),
      shadow: false,
      checkClient: undefined,
      now: () => performance.now(),
      log: createTestLog().log,
      recorder: createTestRecorder(),
    }),
  );
  beforeAll(async () => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)));
  afterAll(async () => new Promise<void>((resolve) => void server.close(() => resolve())));

  it.each(stories)('$file ends as it says', async (story) => {
    expect(outcomeOfAnswer(await posted(addressOf(server).port, story.review), story)).toEqual(story.want);
  });
});

describe('through HTTPS', () => {
  it('every story ends as it says', async () => {
    const outcomes = new Map<string, unknown>();
    await withServer({ mutate: async (review) => decide(storyNamed(review.uid), review) }, async ({ post }) => {
      for (const story of stories) {
        const { text } = await post(story.review);
        outcomes.set(story.file, outcomeOfAnswer(text, story));
      }
    });
    expect(Object.fromEntries(outcomes)).toEqual(Object.fromEntries(stories.map(({ file, want }) => [file, want])));
  });
});

async function decide(story: Story, review: Review) {
  return mutate(review, depsOf(story), 1_000);
}

async function outcomeThroughCore(story: Story): Promise<JsonObject> {
  const decision = await decide(story, parseReview(story.review));
  return outcomeOf(
    decision,
    story.pod,
    decision.kind === 'patch' ? patched(story.pod, decision.operations) : story.pod,
  );
}

function storyNamed(uid: string): Story {
  const story = storyOf.get(uid);
  if (story === undefined) throw new Error(`no story ${uid}`);
  return story;
}

/** What a story's `want` says of an answer, read as the API server reads it. */
function outcomeOfAnswer(text: string, { file, pod }: Story): JsonObject {
  const answer: unknown = JSON.parse(text);
  const unknown = /^no decision now: (.*)$/.exec(ownString(answer, 'error') ?? '')?.[1];
  if (unknown !== undefined) return { decision: 'unknown', reason: unknown, pod: 'unchanged' };
  const response = ownField(answer, 'response');
  expect(ownField(response, 'uid')).toBe(file);
  const said = ownField(response, 'auditAnnotations');
  const method = ownString(said, 'method');
  const roleArn = ownString(said, 'role-arn');
  const warnings = ownList(response, 'warnings');
  const message = ownString(ownField(response, 'status'), 'message');
  const patch = ownString(response, 'patch');
  expect(ownField(response, 'allowed')).toBe(message === undefined);
  expect(ownString(response, 'patchType')).toBe(patch === undefined ? undefined : 'JSONPatch');
  return {
    decision: ownString(said, 'decision'),
    reason: ownString(said, 'reason'),
    ...(method === undefined ? {} : { method }),
    ...(roleArn === undefined ? {} : { roleArn }),
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(message === undefined ? {} : { message }),
    pod: patch === undefined ? 'unchanged' : patched(pod, operationsFrom(patch)),
  };
}

function operationsFrom(patch: string): readonly Operation[] {
  const operations: unknown = JSON.parse(Buffer.from(patch, 'base64').toString('utf8'));
  if (!isOperations(operations)) throw new Error(`not operations that add: ${patch}`);
  return operations;
}

function isOperations(value: unknown): value is readonly Operation[] {
  return (
    Array.isArray(value) &&
    value.every((item) => ownString(item, 'op') === 'add' && ownString(item, 'path') !== undefined)
  );
}

function patched(pod: JsonObject, operations: readonly Operation[]): unknown {
  return jsonpatch.applyPatch(structuredClone(pod), structuredClone([...operations]), true, false).newDocument;
}

async function posted(port: number, review: JsonObject): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json' };
    const sent = httpRequest({ port, host: '127.0.0.1', path: '/mutate', method: 'POST', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('end', () => resolve(text));
    });
    sent.once('error', reject);
    sent.end(JSON.stringify(review));
  });
}
