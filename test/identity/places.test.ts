import { expect, test } from '@jest/globals';
import { createPlaces } from '../../src/identity/places.ts';

test('who comes when all places are taken gets one in its turn', async () => {
  const places = createPlaces(2);
  expect([places.take(), places.take()]).toEqual([undefined, undefined]);
  const served: string[] = [];
  const wait = async (name: string): Promise<void> => {
    await places.take();
    served.push(name);
  };
  const waiting = [wait('first'), wait('second')];
  places.leave();
  await waiting[0];
  expect(served).toEqual(['first']);
  places.leave();
  await waiting[1];
  places.leave();
  places.leave();
  expect([served, places.take(), places.take(), places.take() instanceof Promise]).toEqual([
    ['first', 'second'],
    undefined,
    undefined,
    true,
  ]);
});
