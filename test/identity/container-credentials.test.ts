import { mkdtemp, readFile, rename, rm, symlink, unlink, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { watchDirectory } from '../../src/certificates/watch-directory.ts';
import { createContainerCredentials } from '../../src/identity/container-credentials.ts';
import { createTestLog } from '../support/log.ts';
import { createTestRecorder } from '../support/recorder.ts';
import { until } from '../support/until.ts';

const ONE = '{"identities":[{"namespace":"default","serviceAccount":"app"}]}';
const app = { namespace: 'default', name: 'app' };

/** Readings end in the turn after. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

/** The file's content is the test's; time passes when the test says so. */
function source(first: string | NodeJS.ErrnoException) {
  const { log, messages } = createTestLog();
  const recorder = createTestRecorder();
  let content = first;
  let now = 0;
  let poll: (() => void) | undefined;
  let changed: (() => void) | undefined;
  const credentials = createContainerCredentials({
    file: '/etc/credentials.json',
    readFile: async () => {
      if (typeof content !== 'string') throw content;
      return content;
    },
    watch: (callback) => {
      changed = callback;
      return () => {};
    },
    setTimer: (callback) => {
      poll = callback;
      return () => {};
    },
    now: () => now,
    log,
    recorder,
  });
  return {
    credentials,
    messages,
    recorder,
    async becomes(next: string | NodeJS.ErrnoException) {
      content = next;
      changed?.();
      await settled();
    },
    async after(milliseconds: number) {
      now += milliseconds;
      poll?.();
      await settled();
    },
  };
}

const ABSENT = Object.assign(new Error('no such file'), { code: 'ENOENT' });
const DENIED = Object.assign(new Error('permission denied'), { code: 'EACCES' });

describe('createContainerCredentials', () => {
  it('reads the file before it is ready, and again when it changes', async () => {
    const { credentials, becomes } = source(ONE);
    await credentials.ready();
    expect(credentials.keys()).toEqual(['default/app']);
    await becomes('{"Identities":[{"NAMESPACE":"a","serviceaccount":"b"},{"namespace":"c","serviceAccount":"d"}]}');
    expect(credentials.keys()).toEqual(['a/b', 'c/d']);
    expect(credentials.has(app)).toBe(false);
  });

  it('takes an absent file at the start as empty, and says so', async () => {
    const { credentials, messages } = source(ABSENT);
    await credentials.ready();
    expect(credentials.keys()).toEqual([]);
    expect(messages()).toEqual(['warn container-credentials file is absent: no account has EKS Pod Identity']);
  });

  it('keeps what it knew for a minute when the file vanishes, then counts it as empty', async () => {
    const { credentials, becomes, after } = source(ONE);
    await credentials.ready();
    await becomes(ABSENT);
    await after(59_000);
    expect(credentials.has(app)).toBe(true);
    await after(1_000);
    expect(credentials.has(app)).toBe(false);
    await becomes(ONE);
    expect(credentials.has(app)).toBe(true);
  });

  it('begins a new minute each time that the file vanishes', async () => {
    const { credentials, becomes, after } = source(ONE);
    await credentials.ready();
    await becomes(ABSENT);
    await after(50_000);
    await becomes(ONE);
    await becomes(ABSENT);
    await after(50_000);
    expect(credentials.has(app)).toBe(true);
  });

  it.each([
    ['{', 'Expected property name'],
    ['[]', 'the file is no JSON object'],
    ['{"identities":{}}', '"identities" is no list'],
    ['{"identities":[{"namespace":"a"}]}', 'identities[0] has no namespace and serviceAccount'],
    ['{"identities":[null]}', 'identities[0] has no namespace and serviceAccount'],
  ])('is not ready while the file is %j', async (text, why) => {
    const { credentials, becomes, recorder } = source(text);
    await settled();
    expect(credentials.problems()[0]).toContain(why);
    expect(recorder.of('reloadFailed')).toEqual([['container-credentials']]);
    await becomes(ONE);
    expect(credentials.problems()).toEqual([]);
    expect(credentials.has(app)).toBe(true);
  });

  it('is not ready while the file may not be read', async () => {
    const { credentials } = source(DENIED);
    await settled();
    expect(credentials.problems()).toEqual(['/etc/credentials.json: permission denied']);
  });

  it('keeps the last good content of a file that becomes malformed or unreadable; an empty one empties', async () => {
    const { credentials, becomes, recorder } = source(ONE);
    await credentials.ready();
    await becomes('{');
    await becomes(DENIED);
    expect(credentials.has(app)).toBe(true);
    expect(credentials.problems()).toEqual([]);
    expect(recorder.of('reloadFailed')).toHaveLength(2);
    await becomes('');
    expect(credentials.keys()).toEqual([]);
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
    const credentials = createContainerCredentials({
      file,
      readFile: (path) => readFile(path, 'utf8'),
      watch: (changed) => watchDirectory(directory, changed),
      // Never by the poll: the watch must see it.
      setTimer: () => () => {},
      now: () => performance.now(),
      log: createTestLog().log,
      recorder: createTestRecorder(),
    });
    try {
      await credentials.ready();
      expect(credentials.has(app)).toBe(true);
      await project('..2', '{"identities":[{"namespace":"a","serviceAccount":"b"}]}');
      await until('the swap to be seen', () => credentials.has({ namespace: 'a', name: 'b' }));
      expect(credentials.has(app)).toBe(false);
    } finally {
      credentials.close();
      await unlink(file);
      await rm(directory, { recursive: true });
    }
  });
});
