// `diagnose error` as its users see it: stdout, stderr and exit code.
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { parseCommandLine } from '../../src/cli.ts';
import { RUNNERS } from '../../src/command-runners.ts';
import type { CommandIo } from '../../src/commands/io.ts';
import { createTestIo } from '../support/command-io.ts';

const THROTTLED = 'An error occurred (Throttling) when calling the AssumeRoleWithWebIdentity operation: Rate exceeded';

describe('diagnose error', () => {
  test('prints one document of causes, most likely first', async () => {
    const { out, err, exit } = await diagnose(['--output=json', THROTTLED]);
    const report: unknown = JSON.parse(out);
    expect({ report, err, exit }).toEqual({
      report: {
        causes: [
          {
            id: 'throttled',
            why: expect.any(String),
            check: expect.any(String),
            fix: expect.any(String),
          },
        ],
      },
      err: '',
      exit: 1,
    });
  });

  test('puts what is to be read under the command that is to be pasted', async () => {
    const { out } = await diagnose([THROTTLED]);
    expect(out.split('\n').slice(2)).toEqual([
      '   check: aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=AssumeRoleWithWebIdentity',
      '          # as account ACCOUNT_ID',
      '   fix:   kubectl set env deployment NAME AWS_STS_REGIONAL_ENDPOINTS=regional AWS_RETRY_MODE=adaptive',
      '          # and keep one client per process, so that sessions are reused',
      '',
    ]);
  });

  test('reads the line from standard input', async () => {
    const fromStdin = await diagnose(['-', '-o', 'json'], THROTTLED);
    expect(fromStdin).toEqual(await diagnose(['-o', 'json', THROTTLED]));
  });

  test('reads what PowerShell has written, in either order of bytes', async () => {
    const text = Buffer.from(`\uFEFF${THROTTLED}\r\n`, 'utf16le');
    const expected = await diagnose(['-o', 'json', THROTTLED]);
    expect([await diagnoseBytes(text), await diagnoseBytes(Buffer.from(text).swap16())]).toEqual([expected, expected]);
    expect(await diagnoseBytes(Buffer.from(`${THROTTLED} f\u00fcr`, 'latin1'))).toEqual(expected);
  });

  test.each([
    ['bytes of an archive', gzipSync('hello')],
    ['UTF-16 without its mark', Buffer.from('hello', 'utf16le')],
  ])('refuses %s', async (_, bytes) => {
    expect(await diagnoseBytes(bytes)).toEqual({
      out: '',
      err: 'the log is not text in UTF-8, nor in UTF-16 with its mark in front: pipe it in as one of these\n',
      exit: 2,
    });
  });

  test('takes a line that the shell has split', async () => {
    const split = await diagnose(THROTTLED.split(' '));
    expect(split).toEqual(await diagnose([THROTTLED]));
  });

  test('says that several causes give one text', async () => {
    const { out } = await diagnose(['AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity']);
    expect(out.split('\n').filter((line) => /^\S/.test(line))).toEqual([
      'Each of these gives this error; most likely first. The checks tell them apart.',
      '1. subject-mismatch',
      '2. audience-mismatch',
      '3. role-missing',
      '4. wrong-action',
    ]);
  });

  test('finds nothing in a line without such an error', async () => {
    const { out, exit } = await diagnose(['-o=json', 'hello']);
    expect([JSON.parse(out), exit]).toEqual([{ causes: [expect.objectContaining({ id: 'unknown' })] }, 0]);
  });

  test('is used wrongly without a line', async () => {
    expect(await diagnose(['-'], ' \n')).toEqual({
      out: '',
      err: 'there is no error to explain: give the line in quotes, or pipe it in with diagnose error -\n',
      exit: 2,
    });
  });
});

async function diagnoseBytes(bytes: Buffer) {
  return diagnose(['-', '-o', 'json'], '', { readStdinBytes: async () => bytes });
}

async function diagnose(args: readonly string[], stdin = '', more: Partial<CommandIo> = {}) {
  const commandLine = parseCommandLine(['diagnose', 'error', ...args], {});
  if (commandLine.kind !== 'run') throw new Error(`want a run, got ${commandLine.kind}`);
  const io = createTestIo({ '-': stdin });
  const exit = await RUNNERS['diagnose error']({ ...commandLine, io: { ...io, ...more } });
  return { ...io.written(), exit };
}
