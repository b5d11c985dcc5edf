import { beforeAll, describe, expect, test } from '@jest/globals';
import { createFileCertificates } from '../../src/certificates/files.ts';
import type { Authority, KeyPair } from '../support/certificates.ts';
import { createAuthority } from '../support/certificates.ts';
import { createTestLog } from '../support/log.ts';

const start = Date.UTC(2026, 5, 1);
const hour = 3_600_000;
const dates = { notBefore: new Date(start - hour), notAfter: new Date(start + hour) };
const names = ['pod-identity-webhook.eks.svc'];

let authority: Authority;
let pair: KeyPair;
let next: KeyPair;
beforeAll(async () => {
  authority = await createAuthority();
  pair = await authority.issue({ names, ...dates });
  next = await authority.issue({ names, ...dates });
});

/** Files, clock and directory watches in the test's hands. */
function withFiles(files: Map<string, string | Error>, options: { readonly clientCaFile?: string } = {}) {
  const timers: { readonly at: number; readonly run: () => void }[] = [];
  const watches: { readonly directory: string; readonly changed: () => void }[] = [];
  const counts = { failures: 0, ended: 0 };
  const loadedUntil: Date[] = [];
  const time = { now: start };
  const log = createTestLog();
  const certificates = createFileCertificates({
    keyFile: '/certs/tls.key',
    certFile: '/certs/tls.crt',
    ...options,
    serviceName: 'pod-identity-webhook',
    namespace: 'eks',
    tls: {},
    now: () => time.now,
    async readFile(path) {
      const content = files.get(path) ?? Object.assign(new Error('no such file'), { code: 'ENOENT' });
      if (typeof content !== 'string') throw content;
      return content;
    },
    watchDirectory(directory, changed) {
      const watch = { directory, changed };
      watches.push(watch);
      return () => {
        counts.ended += 1;
        watches.splice(watches.indexOf(watch), 1);
      };
    },
    setTimer(run, delayMs) {
      const timer = { at: time.now + delayMs, run };
      timers.push(timer);
      return () => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1));
    },
    log: log.log,
    recorder: { certificateLoaded: (date) => void loadedUntil.push(date), reloadFailed: () => (counts.failures += 1) },
  });
  /** Lets the time pass, timer by timer, and the promises of each settle. */
  async function pass(ms: number): Promise<void> {
    const end = time.now + ms;
    await settled();
    for (;;) {
      const due = timers.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      timers.splice(timers.indexOf(due), 1);
      time.now = due.at;
      due.run();
      await settled();
    }
    time.now = end;
  }
  const changed = (): void => watches[0]?.changed();
  return { certificates, log, pass, changed, watches, timers, counts, loadedUntil, time };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

function filesOf({ keyPem, certPem }: KeyPair): Map<string, string | Error> {
  return new Map([
    ['/certs/tls.key', keyPem],
    ['/certs/tls.crt', certPem],
  ]);
}

test('a good pair is ready, logged and recorded', async () => {
  const { certificates, log, pass, loadedUntil } = withFiles(filesOf(pair));
  expect(certificates.problems()).toEqual(['/certs/tls.crt has not been read yet']);
  await pass(0);
  await certificates.ready();
  expect([certificates.current()?.cert, certificates.problems(), loadedUntil]).toEqual([
    pair.certPem,
    [],
    [dates.notAfter],
  ]);
  expect(log.messages()).toEqual(['info certificate loaded']);
});

test('names that do not fit the Service warn and stay ready', async () => {
  const { certificates, log, pass } = withFiles(filesOf(await authority.issue({ names: ['localhost'], ...dates })));
  await pass(0);
  expect(certificates.problems()).toEqual([]);
  expect(log.messages()).toEqual(['info certificate loaded', 'warn certificate does not fit the Service']);
});

describe('a change', () => {
  test('that the directory tells is live in 50 ms, and told once', async () => {
    const files = filesOf(pair);
    const { certificates, pass, changed } = withFiles(files);
    await pass(0);
    const told: string[] = [];
    const stop = certificates.onChange(({ cert }) => told.push(cert));
    for (const [path, text] of filesOf(next)) files.set(path, text);
    for (let event = 0; event < 5; event += 1) changed();
    await pass(50);
    expect([told, certificates.current()?.key]).toEqual([[next.certPem], next.keyPem]);
    stop();
    for (const [path, text] of filesOf(pair)) files.set(path, text);
    changed();
    await pass(50);
    expect([told.length, certificates.current()?.key]).toEqual([1, pair.keyPem]);
  });

  test('that no watch saw is found within 30 s, even of the key alone', async () => {
    const files = filesOf(pair);
    const { certificates, pass, counts } = withFiles(files);
    await pass(0);
    files.set('/certs/tls.key', next.keyPem);
    await pass(31_000);
    expect([certificates.current()?.cert, counts.failures]).toEqual([pair.certPem, 1]);
    files.set('/certs/tls.crt', next.certPem);
    await pass(30_000);
    expect(certificates.current()?.cert).toBe(next.certPem);
  });

  test('that is half-written is looked at again before anybody is told', async () => {
    const files = filesOf(pair);
    const { certificates, log, pass, changed, counts } = withFiles(files);
    await pass(0);
    files.set('/certs/tls.key', next.keyPem);
    changed();
    await pass(500);
    files.set('/certs/tls.crt', next.certPem);
    changed();
    await pass(50);
    expect([certificates.current()?.cert, counts.failures, log.messages()]).toEqual([
      next.certPem,
      0,
      ['info certificate loaded', 'info certificate loaded'],
    ]);
  });

  test('that comes while the files are being read is not lost', async () => {
    const files = filesOf(pair);
    const { certificates, pass, changed } = withFiles(files);
    changed();
    for (const [path, text] of filesOf(next)) files.set(path, text);
    await pass(100);
    expect(certificates.current()?.cert).toBe(next.certPem);
  });
});

describe('the last good pair stays, with one log line and a count for each look, when', () => {
  const denied = Object.assign(new Error('denied'), { code: 'EACCES' });
  test.each<[string, () => Promise<[string, string | Error][]> | [string, string | Error][], string]>([
    [
      'the directory is emptied',
      () => [
        ['/certs/tls.key', new Error('gone')],
        ['/certs/tls.crt', new Error('gone')],
      ],
      'unreadable',
    ],
    ['a file may not be read', () => [['/certs/tls.key', denied]], 'unreadable'],
    ['the key is of another certificate', () => [['/certs/tls.key', next.keyPem]], 'key-mismatch'],
    ['a file is cut', () => [['/certs/tls.crt', pair.certPem.slice(0, 200)]], 'no-certificate'],
    ['a file is empty', () => [['/certs/tls.key', '']], 'no-key'],
    [
      'the new one has expired',
      async () => [...filesOf(await authority.issue({ names, notAfter: new Date(start - 1) }))],
      'expired',
    ],
    [
      'the new one is not valid yet',
      async () => [
        ...filesOf(
          await authority.issue({ names, notBefore: new Date(start + hour), notAfter: new Date(start + 2 * hour) }),
        ),
      ],
      'not-yet-valid',
    ],
  ])('%s', async (_, changes, code) => {
    const files = filesOf(pair);
    const { certificates, log, pass, changed, counts } = withFiles(files);
    await pass(0);
    for (const [path, content] of await changes()) files.set(path, content);
    changed();
    await pass(2_000);
    expect([certificates.current()?.cert, certificates.problems(), counts.failures]).toEqual([pair.certPem, [], 1]);
    await pass(60_000);
    expect(counts.failures).toBe(3);
    expect(log.lines.slice(1).map(({ level, message, fields }) => [level, message, fields['code']])).toEqual([
      ['error', 'certificate refused, the last good one stays', code],
    ]);
    for (const [path, text] of filesOf(next)) files.set(path, text);
    await pass(30_000);
    expect(certificates.current()?.cert).toBe(next.certPem);
  });
});

describe('without a certificate', () => {
  test('it says what is missing, once, looks every second, and is ready when there is one', async () => {
    const files = new Map<string, string | Error>();
    const { certificates, log, pass, counts } = withFiles(files);
    await pass(5_000);
    const problem =
      '--tls-key="/certs/tls.key" cannot be read (ENOENT); mount the Secret of the certificate there, or give another path';
    expect([certificates.current(), certificates.problems(), log.messages(), counts.failures]).toEqual([
      undefined,
      [problem],
      ['error no certificate to serve yet'],
      0,
    ]);
    for (const [path, text] of filesOf(pair)) files.set(path, text);
    await pass(1_000);
    expect([certificates.current()?.cert, certificates.problems()]).toEqual([pair.certPem, []]);
  });

  test('one that is not valid yet is taken when its time has come', async () => {
    const early = await authority.issue({ names, notBefore: new Date(start + 90_000), notAfter: dates.notAfter });
    const { certificates, pass } = withFiles(filesOf(early));
    await pass(80_000);
    expect(certificates.problems()).toEqual([
      "the certificate is not valid before 2026-06-01T00:01:30.000Z; wait, or look at this machine's clock",
    ]);
    await pass(11_000);
    expect(certificates.problems()).toEqual([]);
  });
});

test('one that expires while it is served is a problem from then on, by the wall clock, and is logged', async () => {
  const { certificates, log, pass, time } = withFiles(filesOf(pair));
  await pass(0);
  time.now = start + hour + 1;
  const problem = 'the certificate expired at 2026-06-01T01:00:00.000Z; want a new one';
  expect(certificates.problems()).toEqual([problem]);
  await pass(60_000);
  expect(log.messages()).toEqual(['info certificate loaded', 'error certificate is not valid now']);
  time.now = start;
  expect(certificates.problems()).toEqual([]);
});

test('the client CA file belongs to the certificate: it is watched, and its change is a change', async () => {
  const files = filesOf(pair);
  files.set('/clients/ca.crt', authority.caPem);
  const { certificates, pass, watches, counts } = withFiles(files, { clientCaFile: '/clients/ca.crt' });
  await pass(0);
  expect(watches.map(({ directory }) => directory)).toEqual(['/certs', '/clients']);
  const other = await createAuthority();
  files.set('/clients/ca.crt', other.caPem);
  watches[1]?.changed();
  await pass(50);
  expect(certificates.current()?.clientCa).toBe(other.caPem);
  files.delete('/clients/ca.crt');
  watches[1]?.changed();
  await pass(2_000);
  expect([certificates.current()?.clientCa, counts.failures]).toEqual([other.caPem, 1]);
});

test('watches are armed anew with each poll, and nothing is left after the end', async () => {
  const { certificates, pass, watches, timers, counts } = withFiles(filesOf(pair));
  await pass(61_000);
  expect([watches.length, counts.ended]).toEqual([1, 2]);
  certificates.close();
  expect([watches, timers, counts.ended]).toEqual([[], [], 3]);
});

test('what is read after the end is not taken', async () => {
  const { certificates, pass, log } = withFiles(filesOf(pair));
  certificates.close();
  await pass(1_000);
  expect([certificates.current(), log.messages()]).toEqual([undefined, []]);
});
