import { expect, test } from '@jest/globals';
import { createLineWriter } from '../../src/observe/line-writer.ts';

type Done = (error: NodeJS.ErrnoException | null, written: number) => void;

/** A file descriptor whose writes the test answers one by one. */
function fakeDescriptor(maxQueuedBytes = 100) {
  const pending: { readonly text: string; readonly done: Done }[] = [];
  const counts = { dropped: 0 };
  const writer = createLineWriter({
    fd: 99,
    maxQueuedBytes,
    dropped: () => void (counts.dropped += 1),
    write: (_fd, bytes, offset, length, _position, done) =>
      void pending.push({ text: bytes.toString('utf8', offset, offset + length), done }),
  });
  const answer = (code: string | null, written = 0): string => {
    const next = pending.shift();
    next?.done(code === null ? null : Object.assign(new Error(code), { code }), written);
    return next?.text ?? 'nothing was written';
  };
  return { writer, answer, counts, pending };
}

test('writes at once, and together what came meanwhile', async () => {
  const { writer, answer, pending } = fakeDescriptor();
  for (const line of ['a\n', 'b\n', 'c\n']) writer.write(line);
  const flushed = writer.flush();
  expect([answer(null, 2), answer(null, 4), pending]).toEqual(['a\n', 'b\nc\n', []]);
  expect([await flushed, await writer.flush()]).toEqual([true, true]);
});

test('goes on where a write took a part only', () => {
  const { writer, answer } = fakeDescriptor();
  writer.write('grösse\n');
  // Two bytes make the ö: a write may end between them.
  const rest = Buffer.from('grösse\n').subarray(3).toString();
  expect([answer(null, 3), answer(null, 4), answer(null, 1), answer(null)]).toEqual([
    'grösse\n',
    rest,
    '\n',
    'nothing was written',
  ]);
});

test('drops and counts lines beyond its bound, and takes lines again when there is room', () => {
  const { writer, answer, counts } = fakeDescriptor(10);
  for (const line of ['1234\n', '5678\n', 'lost\n', 'gone\n']) writer.write(line);
  expect([answer(null, 5), answer(null, 5), counts.dropped]).toEqual(['1234\n', '5678\n', 2]);
  writer.write('back\n');
  expect([answer(null, 5), counts.dropped]).toEqual(['back\n', 2]);
});

test.each(['EPIPE', 'EIO', 'ENOSPC', 'EBADF'])(
  '%s costs the lines of that write, and the next ones are tried',
  (code) => {
    const { writer, answer, counts } = fakeDescriptor();
    for (const line of ['a\n', 'b\n', 'c\n']) writer.write(line);
    expect([answer(null, 2), answer(code), counts.dropped]).toEqual(['a\n', 'b\nc\n', 2]);
    writer.write('d\n');
    expect([answer(null, 2), counts.dropped]).toEqual(['d\n', 2]);
  },
);

test('tries again after EAGAIN', async () => {
  const { writer, answer, pending, counts } = fakeDescriptor();
  writer.write('a\n');
  answer('EAGAIN');
  const flushed = writer.flush();
  while (pending.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  expect([answer(null, 2), await flushed, counts.dropped]).toEqual(['a\n', true, 0]);
});

test('flush gives up on a reader that takes nothing', async () => {
  const { writer, answer } = fakeDescriptor();
  writer.write('a\n');
  expect(await writer.flush()).toBe(false);
  expect(answer(null, 2)).toBe('a\n');
});
