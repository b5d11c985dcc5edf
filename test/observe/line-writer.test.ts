import { expect, test } from '@jest/globals';
import { createLineWriter } from '../../src/observe/line-writer.ts';

type Done = (error: NodeJS.ErrnoException | null, written: number) => void;

/** A file descriptor whose writes the test answers one by one, and a time that passes when the test says so. */
function fakeDescriptor(maxQueuedBytes = 100) {
  const pending: { readonly text: string; readonly done: Done }[] = [];
  const timers: { readonly delayMs: number; readonly run: () => void }[] = [];
  const counts = { dropped: 0 };
  const writer = createLineWriter({
    fd: 99,
    maxQueuedBytes,
    dropped: () => void (counts.dropped += 1),
    write: (_fd, bytes, offset, length, _position, done) =>
      void pending.push({ text: bytes.toString('utf8', offset, offset + length), done }),
    schedule: (run, delayMs) => void timers.push({ delayMs, run }),
  });
  /** The delays that were asked for, all of them over. */
  const pass = (): number[] => timers.splice(0).map(({ delayMs, run }) => (run(), delayMs));
  const answer = (code: string | null, written = 0): string => {
    const next = pending.shift();
    next?.done(code === null ? null : Object.assign(new Error(code), { code }), written);
    return next?.text ?? 'nothing was written';
  };
  const write = (...lines: string[]): void => {
    for (const line of lines) writer.write(line);
  };
  return { writer, write, answer, pass, counts, pending };
}

test('lines of ten milliseconds are written together, and those that come meanwhile after them', () => {
  const { write, answer, pass, pending } = fakeDescriptor();
  write('a\n', 'b\n');
  expect([pending.length, pass()]).toEqual([0, [10]]);
  write('c\n');
  expect([pass(), answer(null, 4), pending.length, pass(), answer(null, 2), pass(), pending.length]).toEqual([
    [],
    'a\nb\n',
    0,
    [10],
    'c\n',
    [],
    0,
  ]);
});

test('flush writes at once, and waits for everything', async () => {
  const { writer, write, answer, pass, pending } = fakeDescriptor();
  expect(await writer.flush()).toBe(true);
  write('a\n');
  const flushed = writer.flush();
  write('b\n');
  expect([answer(null, 2), answer(null, 2), await flushed]).toEqual(['a\n', 'b\n', true]);
  expect([pass(), pending.length]).toEqual([[10], 0]);
});

test('goes on where a write took a part only', () => {
  const { write, pass, answer } = fakeDescriptor();
  write('grösse\n');
  pass();
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
  const { write, answer, pass, counts } = fakeDescriptor(10);
  write('1234\n', '5678\n', 'lost\n');
  pass();
  write('gone\n');
  expect([answer(null, 10), counts.dropped]).toEqual(['1234\n5678\n', 2]);
  write('back\n', 'too!\n');
  pass();
  expect([answer(null, 10), counts.dropped]).toEqual(['back\ntoo!\n', 2]);
});

test.each(['EPIPE', 'EIO', 'ENOSPC', 'EBADF'])(
  '%s costs the lines of that write, and the next ones are tried',
  (code) => {
    const { write, answer, pass, counts } = fakeDescriptor();
    write('a\n', 'b\n');
    pass();
    write('c\n');
    expect([answer(code), counts.dropped, pass(), answer(null, 2), counts.dropped]).toEqual([
      'a\nb\n',
      2,
      [10],
      'c\n',
      2,
    ]);
  },
);

test('tries again a tenth of a second after EAGAIN', async () => {
  const { writer, write, answer, pass, counts } = fakeDescriptor();
  write('a\n');
  pass();
  expect([answer('EAGAIN'), pass()]).toEqual(['a\n', [100]]);
  const flushed = writer.flush();
  expect([answer(null, 2), await flushed, counts.dropped]).toEqual(['a\n', true, 0]);
});

test('flush gives up on a reader that takes nothing', async () => {
  const { writer, write, answer } = fakeDescriptor();
  write('a\n');
  expect([await writer.flush(), answer(null, 2)]).toEqual([false, 'a\n']);
});
