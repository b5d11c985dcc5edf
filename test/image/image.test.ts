// What the Dockerfile promises, checked without a container engine: its own files and entrypoint run as its user on a
// read-only root.
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownField, ownString } from '../../src/admission/json.ts';
import { reviewOf } from '../support/stories.ts';
import { createImage, missingForImage } from './image.ts';
import type { Image } from './image.ts';

// A start takes half a second, ten times that on a machine that builds other things meanwhile.
jest.setTimeout(30_000);

const missing = missingForImage();
const describeImage = missing === undefined ? describe : describe.skip;

function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

describeImage(`the image${missing === undefined ? '' : ` (not run: ${missing})`}`, () => {
  let image: Image;

  beforeAll(() => {
    image = createImage({ version: '1.2.3', commit: 'abcdef' });
  }, 120_000);

  afterAll(() => image?.close());

  it('holds the very bytes that another build of the same source makes elsewhere', () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'elsewhere-'));
    cpSync(image.buildDirectory, elsewhere, { recursive: true, verbatimSymlinks: true });
    const bundle = ['deploy/image/bundle.mjs', '--outdir=again', '--version=1.2.3', '--commit=abcdef'];
    execFileSync(process.execPath, bundle, { cwd: elsewhere, stdio: 'pipe' });
    const [again, packed] = [join(elsewhere, 'again'), join(image.root, 'app')].map((place) =>
      readdirSync(join(place, 'chunks'))
        .map((chunk) => join('chunks', chunk))
        .concat('main.js', 'LICENSES.txt', 'package.json')
        .map((file) => `${file} ${hashOf(join(place, file))}`),
    );
    rmSync(elsewhere, { recursive: true });
    expect(again).toEqual(packed);
  });

  const versionLine = {
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(/^pod-identity-webhook 1\.2\.3 .*abcdef.*v24\./),
  };

  it('answers --version through its entrypoint', async () => {
    expect(await finished([...image.entrypoint, '--version'])).toEqual(versionLine);
  });

  it.each(['/webhook', '/usr/bin/aws-pod-identity-webhook'])('answers --version as the command %s', async (command) => {
    expect(await finished([command, '--version'])).toEqual(versionLine);
  });

  it('drops the command that older manifests give as first argument', async () => {
    expect(await finished([...image.entrypoint, '/webhook', '--version'])).toEqual(versionLine);
  });

  it('has no __proto__ accessor, whichever way it is started', async () => {
    const probe = `process.on('exit', () => console.error('__proto__' in {}))`;
    const [node = '', ...flags] = image.entrypoint;
    const asEntrypoint = [
      node,
      ...flags.slice(0, -1),
      '--eval',
      `${probe}; import('/app/main.js')`,
      '--',
      'script',
      '--version',
    ];
    const asCommand = [node, '--eval', `${probe}; require('/webhook')`, '--', 'script', '--version'];
    expect(await finished(asEntrypoint)).toEqual({ ...versionLine, stderr: 'false\n' });
    expect(await finished(asCommand)).toEqual({ ...versionLine, stderr: 'false\n' });
  });

  it('has a root that nobody can write to', async () => {
    const [node = ''] = image.entrypoint;
    const writing = `try { fs.writeFileSync('/app/new', '') } catch (error) { console.log(error.code, process.getuid(), process.getgroups()) }`;
    expect(await finished([node, '--eval', writing])).toEqual({
      code: 0,
      stderr: '',
      stdout: 'EROFS 65532 [ 65532 ]\n',
    });
  });

  it('says what to do where there is no cluster, and ends as wrong use', async () => {
    const { code, stderr } = await finished(image.entrypoint);
    expect({ code, lines: stderr.trim().split('\n').length, stderr }).toEqual({
      code: 2,
      lines: 1,
      stderr: expect.stringMatching(/cluster/),
    });
  });

  it('serves until it is told to end, as the command of older manifests', async () => {
    const child = image.start([
      '/webhook',
      '--standalone=/app/examples',
      '--port=0',
      '--metrics-port=0',
      '--shutdown-delay=0s',
    ]);
    const exited = new Promise<number | null>((done) => child.once('exit', done));
    const { url, adminUrl } = await listening(child);
    await ready(adminUrl);
    const pod = {
      metadata: { name: 'checkout' },
      spec: { serviceAccountName: 'checkout', containers: [{ name: 'main' }] },
    };
    const answer = await post(`${url}/mutate`, reviewOf({ uid: 'u', namespace: 'default' }, pod));
    const commandLine = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8').split('\0').slice(0, 3);
    child.kill('SIGTERM');
    expect({ answer, commandLine, code: await exited }).toEqual({
      answer: {
        uid: 'u',
        allowed: true,
        patchType: 'JSONPatch',
        patch: expect.any(String),
        auditAnnotations: expect.any(Object),
      },
      commandLine: ['/nodejs/bin/node', '--max-semi-space-size=4', '/webhook'],
      code: 0,
    });
  });

  async function finished(
    command: readonly string[],
  ): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const child = image.start(command);
    if (child.stdout === null || child.stderr === null) throw new Error('started without pipes');
    const exited = new Promise<number | null>((done) => child.once('exit', done));
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
    return { code, stdout, stderr };
  }
});

/** The URLs in the log's line about them. */
async function listening({ stdout }: ChildProcess): Promise<{ url: string; adminUrl: string }> {
  if (stdout === null) throw new Error('started without pipes');
  for await (const line of createInterface(stdout)) {
    const entry: unknown = line.startsWith('{') ? JSON.parse(line) : undefined;
    const [url, adminUrl] = [ownString(entry, 'url'), ownString(entry, 'adminUrl')];
    stdout.resume();
    if (url !== undefined && adminUrl !== undefined) return { url, adminUrl };
  }
  throw new Error('ended without listening');
}

async function ready(adminUrl: string): Promise<void> {
  while ((await fetch(`${adminUrl}/readyz`)).status !== 200) await sleep(20);
}

async function post(url: string, review: unknown): Promise<unknown> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json' };
    request(url, { method: 'POST', headers, rejectUnauthorized: false, agent: false }, resolve)
      .once('error', reject)
      .end(JSON.stringify(review));
  });
  return ownField(JSON.parse(await text(response)), 'response');
}
