import { mkdtemp, readFile, rename, rm, symlink, unlink, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { setTimer } from '../../src/app-clock.ts';
import { createReloader } from '../../src/certificates/reload.ts';
import { watchDirectory } from '../../src/certificates/watch-directory.ts';
import { createContainerCredentials } from '../../src/identity/container-credentials.ts';
import { createTestLog } from '../support/log.ts';
import { createTestRecorder } from '../support/recorder.ts';
import { until } from '../support/until.ts';

const ONE = '{"identities":[{"namespace":"default","serviceAccount":"app"}]}';
const app = { namespace: 'default', name: 'app' };

/** The file's content is the test's; time passes and looks happen when the test says so. */
async function source(first: string | NodeJS.ErrnoException) {
  const { log, messages } = createTestLog();
  const recorder = createTestRecorder();
  let content = first;
  let now = 0;
  let look: (() => Promise<'done' | 'look-again'>) | undefined;
  const credentials = createContainerCredentials({
    file: '/etc/credentials.json',
    readFile: async () => {
      if (typeof content !== 'string') throw content;
      return content;
    },
    reload: (given) => {
      look = given;
      return { close: () => {} };
    },
    now: () => now,
    log,
    recorder,
  });
  /** As the reloader does: once, and again where that is asked for. */
  const looked = async (): Promise<void> => {
    if ((await look?.()) === 'look-again') await look?.();
  };
  await looked();
  return {
    credentials,
    messages,
    recorder,
    listed: (...names: readonly string[]) => names.map((name) => credentials.has({ namespace: 'default', name })),
    async becomes(next: string | NodeJS.ErrnoException) {
      content = next;
      await looked();
    },
    /** One look at what is there for a moment only. */
    async isForAMoment(next: string) {
      const before = content;
      content = next;
      await look?.();
      content = before;
      await looked();
    },
    async after(milliseconds: number) {
      now += milliseconds;
      await looked();
    },
  };
}

const ABSENT = Object.assign(new Error('no such file'), { code: 'ENOENT' });
const DENIED = Object.assign(new Error('permission denied'), { code: 'EACCES' });

const listOf = (...names: readonly string[]): string =>
  JSON.stringify({ identities: names.map((serviceAccount) => ({ namespace: 'default', serviceAccount })) });

describe('createContainerCredentials', () => {
  it('knows nothing before the file was read', () => {
    const credentials = createContainerCredentials({
      file: '/etc/credentials.json',
      readFile: async () => ONE,
      reload: () => ({ close: () => {} }),
      now: () => 0,
      log: createTestLog().log,
      recorder: createTestRecorder(),
    });
    expect(credentials.has(app)).toBeUndefined();
    expect(credentials.problems()).toEqual(['/etc/credentials.json was not read yet']);
  });

  it('reads the file, with keys in any case, and again when it changes', async () => {
    const { listed, becomes } = await source(ONE);
    expect(listed('app', 'other')).toEqual([true, false]);
    await becomes('{"Identities":[{"NAMESPACE":"default","serviceaccount":"other"}]}');
    expect(listed('app', 'other')).toEqual([false, true]);
  });

  it('takes an absent file at the start as empty, and says so', async () => {
    const { credentials, listed, messages } = await source(ABSENT);
    expect(credentials.problems()).toEqual([]);
    expect(listed('app')).toEqual([false]);
    expect(messages()).toEqual(['warn container-credentials file is absent: no account has EKS Pod Identity']);
  });

  it('keeps what it knew for a minute when the file vanishes, then counts it as empty', async () => {
    const { listed, becomes, after } = await source(ONE);
    await becomes(ABSENT);
    await after(59_000);
    expect(listed('app')).toEqual([true]);
    await after(1_000);
    expect(listed('app')).toEqual([false]);
    await becomes(ONE);
    expect(listed('app')).toEqual([true]);
  });

  it('begins a new minute each time that the file vanishes', async () => {
    const { listed, becomes, after } = await source(ONE);
    await becomes(ABSENT);
    await after(50_000);
    await becomes(ONE);
    await becomes(ABSENT);
    await after(50_000);
    expect(listed('app')).toEqual([true]);
  });

  it.each([
    ['{', 'not JSON: see line 1, column 2'],
    ['[]', 'the file is no JSON object'],
    ['{"identities":{}}', '"identities" is no list'],
    ['{"identities":[{"namespace":"a"}]}', 'identities[0] has no namespace and serviceAccount'],
    ['{"identities":[null]}', 'identities[0] has no namespace and serviceAccount'],
  ])('is not ready and knows nothing while the file is %j', async (text, why) => {
    const { credentials, becomes, after, recorder, messages } = await source(text);
    expect(credentials.problems()[0]).toContain(why);
    expect(credentials.has(app)).toBeUndefined();
    await after(30_000);
    expect(recorder.of('reloadFailed')).toEqual([['container-credentials']]);
    expect(messages()).toEqual(['error container-credentials file cannot be used; the last good one stays']);
    await becomes(ONE);
    expect(credentials.problems()).toEqual([]);
    expect(credentials.has(app)).toBe(true);
  });

  it('is not ready while the file may not be read', async () => {
    const { credentials } = await source(DENIED);
    expect(credentials.problems()).toEqual([
      '/etc/credentials.json: permission denied; want {"identities":[{"namespace":"…","serviceAccount":"…"}]}',
    ]);
  });

  it('keeps the last good content of a file that becomes malformed or unreadable; an empty one empties', async () => {
    const { credentials, listed, becomes, recorder } = await source(ONE);
    await becomes('{');
    await becomes(DENIED);
    expect(listed('app')).toEqual([true]);
    expect(credentials.problems()).toEqual([]);
    expect(recorder.of('reloadFailed')).toHaveLength(2);
    await becomes('');
    expect(listed('app')).toEqual([false]);
  });

  it('does not believe a file that is empty or cut off for a moment, as one that is being written is', async () => {
    const { listed, isForAMoment, recorder } = await source(ONE);
    await isForAMoment('');
    await isForAMoment('{"identities":');
    expect(listed('app')).toEqual([true]);
    expect(recorder.of('reloadFailed')).toEqual([]);
  });

  it('keeps what it knows while the file is rewritten in place, again and again', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'container-credentials-'));
    const file = join(directory, 'c.json');
    await writeFile(file, ONE);
    const credentials = realSource(directory, file);
    try {
      await until('the file to be read', () => credentials.has(app) === true);
      for (let round = 0; round < 50; round += 1) {
        await writeFile(file, listOf('app', `other-${round}`));
        expect(credentials.has(app)).toBe(true);
        await setTimeout(round % 7);
        expect(credentials.has(app)).toBe(true);
      }
      await until('the last content', () => credentials.has({ namespace: 'default', name: 'other-49' }) === true);
    } finally {
      credentials.close();
      await rm(directory, { recursive: true });
    }
  });

  it('sees the swap of a mounted ConfigMap', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'container-credentials-'));
    const project = async (name: string, text: string): Promise<void> => {
      await mkdir(join(directory, name));
      await writeFile(join(directory, name, 'c.json'), text);
      await symlink(name, join(directory, '..data_tmp'));
      await rename(join(directory, '..data_tmp'), join(directory, '..data'));
    };
    await project('..1', ONE);
    const file = join(directory, 'c.json');
    await symlink('..data/c.json', file);
    const credentials = realSource(directory, file);
    try {
      await until('the file to be read', () => credentials.has(app) === true);
      await project('..2', '{"identities":[{"namespace":"a","serviceAccount":"b"}]}');
      await until('the swap to be seen', () => credentials.has({ namespace: 'a', name: 'b' }) === true);
      expect(credentials.has(app)).toBe(false);
    } finally {
      credentials.close();
      await unlink(file);
      await rm(directory, { recursive: true });
    }
  });
});

/** On real files, looked at as the server does, but never by the clock: the watch must see every change. */
function realSource(directory: string, file: string) {
  return createContainerCredentials({
    file,
    readFile: (path) => readFile(path, 'utf8'),
    reload: (look) =>
      createReloader({
        directories: [directory],
        look,
        watchDirectory,
        setTimer: (run, delayMs) => (delayMs > 5_000 ? () => {} : setTimer(run, delayMs)),
      }),
    now: () => performance.now(),
    log: createTestLog().log,
    recorder: createTestRecorder(),
  });
}
