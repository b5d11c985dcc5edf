// Every story of test/cases, through every way in. UPDATE_CASES=1 rewrites what the stories want: read the diff.
import { describe, expect, it } from '@jest/globals';
import jsonpatch from 'fast-json-patch';
import type { Operation } from '../src/admission/patch.ts';
import type { JsonObject } from '../src/admission/json.ts';
import { mutate } from '../src/admission/mutate.ts';
import { parseReview } from '../src/admission/review.ts';
import type { Story } from './support/stories.ts';
import { identityOfStory, outcomeOf, readStories, settingsOf, withPod, writeWant } from './support/stories.ts';
import { STORY_NAMES } from './support/story-names.ts';

const stories = readStories();

describe('the folder of stories', () => {
  it('holds exactly the stories that test/support/story-names.ts names', () => {
    expect(stories.map(({ file }) => file.replace(/\.yaml$/, '')).toSorted()).toEqual([...STORY_NAMES].toSorted());
  });
});

describe.each(stories)('$file', (story) => {
  it('ends as it says, through the pure core', async () => {
    const outcome = await outcomeThroughCore(story);
    if (process.env['UPDATE_CASES'] === '1') writeWant(story, outcome);
    else expect(outcome).toEqual(story.want);
  });

  it('gets nothing from a second pass', async () => {
    const { pod } = await outcomeThroughCore(story);
    const again = await decide(story, withPod(story.review, pod === 'unchanged' ? story.pod : pod));
    expect(again).not.toMatchObject({ kind: 'patch' });
  });
});

async function decide(story: Story, review: JsonObject) {
  const settings = settingsOf(story.flags);
  return mutate(parseReview(review), { settings, identityOf: identityOfStory(story, settings) }, 1_000);
}

async function outcomeThroughCore(story: Story): Promise<JsonObject> {
  const decision = await decide(story, story.review);
  return outcomeOf(
    decision,
    story.pod,
    decision.kind === 'patch' ? patched(story.pod, decision.operations) : story.pod,
  );
}

function patched(pod: JsonObject, operations: readonly Operation[]): unknown {
  return jsonpatch.applyPatch(structuredClone(pod), structuredClone([...operations]), true, false).newDocument;
}
