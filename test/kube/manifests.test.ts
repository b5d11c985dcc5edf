// The standalone source: over files that are strings and timers that the test runs, and once over a real directory.
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { AccountLookup } from '../../src/admission/identity.ts';
import { listManifests } from '../../src/kube/manifest-files.ts';
import type { ManifestSource } from '../../src/kube/manifests.ts';
import { createManifestSource } from '../../src/kube/manifests.ts';
import type { Recorder } from '../../src/observe/recorder.ts';
import { failureOf } from '../support/failure.ts';
import type { TestLog } from '../support/log.ts';
import { createTestLog } from '../support/log.ts';
import type { TestRecorder } from '../support/recorder.ts';
import { createTestRecorder } from '../support/recorder.ts';

const ANY = { timeoutMs: 1000, live: false };
const LIVE = { timeoutMs: 1000, live: true };
const KEY = { namespace: 'default', name: 'app' };

describe('createManifestSource', () => {
  test('knows the ServiceAccounts of every file, document and list, trimmed to what counts', async () => {
    const { source, log } = create({
      'dir/a.yaml': `${account('app', 'one')}---\n${account('other', 'two', 'shop')}`,
      'dir/b.json': JSON.stringify({
        apiVersion: 'v1',
        kind: 'List',
        items: [{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'bare', annotations: { note: 'x' } } }],
      }),
      'dir/c.yml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: app}\n',
    });
    await source.ready();
    expect([
      await source.lookup(KEY, ANY),
      await source.lookup({ namespace: 'shop', name: 'other' }, ANY),
      await source.lookup({ namespace: 'default', name: 'bare' }, ANY),
      await source.lookup({ namespace: 'default', name: 'other' }, ANY),
      source.size(),
    ]).toEqual([
      withRole('one'),
      withRole('two'),
      { kind: 'found', account: { annotations: {} } },
      { kind: 'not-found' },
      3,
    ]);
    expect(log.lines).toEqual([
      { level: 'info', fields: { directory: 'dir', files: 3, serviceAccounts: 3 }, message: 'manifests read' },
    ]);
    await source.close();
  });

  test('takes the later of two files that name one account', async () => {
    const { source } = create({ 'dir/1.yaml': account('app', 'one'), 'dir/2.yaml': account('app', 'two') });
    await source.ready();
    expect(await source.lookup(KEY, ANY)).toEqual(withRole('two'));
    await source.close();
  });

  test('does not know before the first look', async () => {
    const { source } = create({ 'dir/a.yaml': account('app', 'one') });
    expect(await source.lookup(KEY, ANY)).toEqual({ kind: 'unknown', reason: 'not-synced' });
    await source.ready();
    await source.close();
  });

  test('looks again a moment after a change, once for many', async () => {
    const { source, files, timers, elapse, change, reads } = create({ 'dir/a.yaml': account('app', 'one') });
    await settled(source);
    const before = reads();
    files['dir/a.yaml'] = account('app', 'two');
    change();
    change();
    expect(timers.map(({ delayMs }) => delayMs)).toEqual([5000, 100]);
    expect(await source.lookup(KEY, ANY)).toEqual(withRole('one'));
    elapse(100);
    await looked(source);
    expect([await source.lookup(KEY, ANY), reads() - before]).toEqual([withRole('two'), 1]);
    await source.close();
  });

  test('looks again now and then, watches anew, and says only what has changed', async () => {
    const { source, files, elapse, log, watches } = create({ 'dir/a.yaml': account('app', 'one') });
    await settled(source);
    files['dir/b.yaml'] = account('other', 'two');
    delete files['dir/a.yaml'];
    elapse(5000);
    await looked(source);
    elapse(5000);
    await looked(source);
    expect([await source.lookup(KEY, ANY), source.size(), watches()]).toEqual([{ kind: 'not-found' }, 1, [3, 1]]);
    expect(log.messages()).toEqual(['info manifests read', 'info manifests read']);
    await source.close();
  });

  test('reads the directory again before it says that an account is not there, and when asked for it live', async () => {
    const { source, files } = create({ 'dir/a.yaml': account('app', 'one') });
    await settled(source);
    files['dir/b.yaml'] = account('new', 'two');
    expect(await source.lookup({ namespace: 'default', name: 'new' }, ANY)).toEqual(withRole('two'));
    files['dir/a.yaml'] = account('app', 'three');
    expect(await source.lookup(KEY, ANY)).toEqual(withRole('one'));
    expect(await source.lookup(KEY, LIVE)).toEqual(withRole('three'));
    await source.close();
  });

  test('keeps the last good content of a broken file, and says each problem once', async () => {
    const { source, files, log, recorder } = create({ 'dir/a.yaml': account('app', 'one'), 'dir/b.yaml': 'a: "b\n' });
    await settled(source);
    files['dir/a.yaml'] = `${account('app', 'two')}\tbroken: true\n`;
    expect(await source.lookup(KEY, LIVE)).toEqual(withRole('one'));
    expect(await source.lookup(KEY, LIVE)).toEqual(withRole('one'));
    files['dir/a.yaml'] = account('app', 'three');
    expect(await source.lookup(KEY, LIVE)).toEqual(withRole('three'));
    expect(
      log.lines.filter(({ level }) => level === 'error').map(({ fields, message }) => ({ ...fields, message })),
    ).toEqual([
      {
        file: 'dir/b.yaml',
        line: 1,
        problem: 'not YAML: missing closing "quote; close what is opened on this line',
        message: 'manifest refused, its last good content stays',
      },
      {
        file: 'dir/a.yaml',
        line: 7,
        problem: 'the line is indented with a tab; indent it with spaces',
        message: 'manifest refused, its last good content stays',
      },
    ]);
    expect(recorder.of('reloadFailed')).toEqual([['manifest'], ['manifest']]);
    await source.close();
  });

  test('keeps the last good content of a file that cannot be read', async () => {
    const { source, files, log } = create({ 'dir/a.yaml': account('app', 'one') });
    await settled(source);
    files['dir/a.yaml'] = new Error('EACCES: permission denied');
    expect(await source.lookup(KEY, LIVE)).toEqual(withRole('one'));
    expect(await source.lookup(KEY, LIVE)).toEqual(withRole('one'));
    expect(log.lines.slice(1)).toEqual([
      {
        level: 'error',
        fields: { file: 'dir/a.yaml', problem: 'EACCES: permission denied' },
        message: 'manifest refused, its last good content stays',
      },
      { level: 'info', fields: { directory: 'dir', files: 1, serviceAccounts: 1 }, message: 'manifests read' },
    ]);
    await source.close();
  });

  test('keeps everything when the directory goes away, and says so once', async () => {
    const { source, log, recorder, lose } = create({ 'dir/a.yaml': account('app', 'one') });
    await settled(source);
    lose(true);
    expect(await source.lookup(KEY, LIVE)).toEqual(withRole('one'));
    expect(await source.lookup(KEY, LIVE)).toEqual(withRole('one'));
    lose(false);
    expect(await source.lookup(KEY, LIVE)).toEqual(withRole('one'));
    expect(log.messages()).toEqual(['info manifests read', 'error manifests cannot be read, the last good ones stay']);
    expect(recorder.of('reloadFailed')).toEqual([['manifest']]);
    await source.close();
  });

  test('does not look any more once it is closed', async () => {
    const { source, timers, change, watches, reads } = create({ 'dir/a.yaml': account('app', 'one') });
    await settled(source);
    change();
    const before = reads();
    await source.close();
    change();
    expect([timers, watches(), reads() - before]).toEqual([[], [1, 0], 0]);
  });

  test('shows its state as that of a cache', async () => {
    const states: unknown[] = [];
    const recorder: Recorder = {
      ...createTestRecorder(),
      observeCache: (resource, state) => void states.push(resource, state()),
    };
    const source = createManifestSource({
      ...PREFIX,
      directory: 'dir',
      log: createTestLog().log,
      recorder,
      readDirectory: async () => [],
    });
    await source.ready();
    await source.close();
    expect(states).toEqual(['serviceaccounts', { size: 0, synced: false, secondsSinceLastByte: undefined }]);
  });
});

describe('createManifestSource over a real directory', () => {
  test('finds manifests below it, but no hidden ones and no installed packages', async () => {
    await withDirectory(async (directory) => {
      for (const path of ['sub/deeper', '..2026_11_22', 'node_modules/package']) {
        await mkdir(join(directory, path), { recursive: true });
      }
      const names = ['b.yaml', 'a.yml', 'c.json', 'sub/deeper/d.yaml', '.e.yaml', '..2026_11_22/f.yaml', 'g.txt'];
      for (const name of [...names, 'node_modules/package/h.yaml']) await writeFile(join(directory, name), '');
      await symlink('..2026_11_22/f.yaml', join(directory, 'f.yaml'));
      const found = (await listManifests(directory)).map((path) => path.slice(directory.length + 1));
      expect(found).toEqual(['a.yml', 'b.yaml', 'c.json', 'f.yaml', 'sub/deeper/d.yaml']);
    });
  });

  test('sees what is written into it, and what replaces a file', async () => {
    await withDirectory(async (directory) => {
      await mkdir(join(directory, 'sub'));
      const file = join(directory, 'sub/a.yaml');
      await writeFile(file, account('app', 'one'));
      const source = createManifestSource({ ...PREFIX, directory, log: createTestLog().log });
      await source.ready();
      expect(await source.lookup(KEY, ANY)).toEqual(withRole('one'));

      await writeFile(`${file}.new`, account('app', 'two'));
      await rename(`${file}.new`, file);
      let seen = await source.lookup(KEY, ANY);
      for (let tries = 0; tries < 400 && JSON.stringify(seen) !== JSON.stringify(withRole('two')); tries += 1) {
        await setTimeout(10);
        seen = await source.lookup(KEY, ANY);
      }
      expect(seen).toEqual(withRole('two'));
      await source.close();
    });
  });

  test('says which option is wrong where there is no such directory, or it is none', async () => {
    await withDirectory(async (directory) => {
      const [absent, file] = [join(directory, 'absent'), join(directory, 'file')];
      await writeFile(file, '');
      const failures = await Promise.all(
        [absent, file].map((path) =>
          failureOf(createManifestSource({ ...PREFIX, directory: path, log: createTestLog().log }).ready()),
        ),
      );
      const advice = 'give a directory with manifests of ServiceAccounts, as in --standalone=examples';
      expect(failures.map(({ code, message }) => ({ code, message }))).toEqual([
        { code: 'unusable-file', message: `--standalone="${absent}": there is no such directory; ${advice}` },
        { code: 'unusable-file', message: `--standalone="${file}": this is not a directory; ${advice}` },
      ]);
    });
  });

  test('says what the system says where that is something else', async () => {
    const problems = ['EACCES', 'EMFILE'].map(async (code) => {
      const readDirectory = async (): Promise<never> =>
        Promise.reject(Object.assign(new Error(`${code}: x`), { code }));
      const source = createManifestSource({ ...PREFIX, directory: 'dir', log: createTestLog().log, readDirectory });
      const { message } = await failureOf(source.ready());
      await source.close();
      return [message, source.size()];
    });
    expect(await Promise.all(problems)).toEqual([
      ['--standalone="dir": the directory may not be read; give this user the right to read it', 0],
      [
        '--standalone="dir": the directory cannot be read (EMFILE: x); give a directory with manifests of ServiceAccounts, as in --standalone=examples',
        0,
      ],
    ]);
  });
});

const PREFIX = { annotationPrefix: 'eks.amazonaws.com' };

interface Timer {
  readonly delayMs: number;
  readonly run: () => void;
}

interface Setup {
  readonly source: ManifestSource;
  /** By path; an error is thrown. */
  readonly files: Record<string, string | Error>;
  readonly timers: readonly Timer[];
  /** Runs the timer of a delay. */
  elapse(delayMs: number): void;
  readonly log: TestLog;
  readonly recorder: TestRecorder;
  change(): void;
  /** Whether the directory cannot be read. */
  lose(lost: boolean): void;
  /** How often the directory was read. */
  reads(): number;
  /** How many watches were begun, and how many of them are open. */
  watches(): readonly [number, number];
}

function create(files: Record<string, string | Error>): Setup {
  const timers: Timer[] = [];
  const [log, recorder] = [createTestLog(), createTestRecorder()];
  const watching = new Set<() => void>();
  let [begun, reads, isLost] = [0, 0, false];
  const source = createManifestSource({
    ...PREFIX,
    directory: 'dir',
    log: log.log,
    recorder,
    readDirectory: async () => {
      reads += 1;
      if (isLost) throw new Error('gone');
      return Object.keys(files).toSorted();
    },
    readFile: async (path) => {
      const text = files[path] ?? new Error('gone');
      if (typeof text === 'string') return text;
      throw text;
    },
    watchDirectory: (_directory, changed) => {
      begun += 1;
      watching.add(changed);
      return () => watching.delete(changed);
    },
    setTimer: (ran, delayMs) => {
      const timer = { delayMs, run: ran };
      timers.push(timer);
      return () => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1));
    },
  });
  const elapse = (delayMs: number): void => {
    const at = timers.findIndex((timer) => timer.delayMs === delayMs);
    for (const timer of timers.splice(at, at < 0 ? 0 : 1)) timer.run();
  };
  return {
    source,
    files,
    timers,
    elapse,
    log,
    recorder,
    change: () => watching.forEach((changed) => changed()),
    lose: (lost) => (isLost = lost),
    reads: () => reads,
    watches: () => [begun, watching.size],
  };
}

/** Resolves when the first look, and the one that follows the start of the watch, are over. */
async function settled(source: ManifestSource): Promise<void> {
  await source.ready();
  await looked(source);
}

/** Resolves when the look that is due is over: a miss waits for it. */
async function looked(source: ManifestSource): Promise<void> {
  await source.lookup({ namespace: 'none', name: 'none' }, ANY);
}

function account(name: string, role: string, namespace = 'default'): string {
  return `apiVersion: v1
kind: ServiceAccount
metadata:
  name: ${name}
  namespace: ${namespace}
  annotations: {eks.amazonaws.com/role-arn: '${arnOf(role)}', note: 'not kept'}
`;
}

function withRole(role: string): AccountLookup {
  return { kind: 'found', account: { annotations: { 'eks.amazonaws.com/role-arn': arnOf(role) } } };
}

function arnOf(role: string): string {
  return `arn:aws:iam::111122223333:role/${role}`;
}

async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'manifests-'));
  try {
    await use(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}
