// The file that lists the ServiceAccounts with EKS Pod Identity: read again when it changes, and when it cannot be
// read, what it said last is used as long as the rules below allow.
import type { AccountKey } from '../admission/identity.ts';
import { keyOf } from '../admission/identity.ts';
import { goField, isObject } from '../admission/json.ts';
import { codeOf, messageOf } from '../admission/thrown.ts';
import type { Log } from '../observe/log.ts';
import type { Recorder } from '../observe/recorder.ts';

/** How long a file that has vanished still counts: a swap by hand removes it for a moment. */
const ABSENT_GRACE_MS = 60_000;
// The content must be picked up within 60 s (upstream's promise); the watch of the directory does it at once.
const POLL_MS = 20_000;

export interface ContainerCredentialsOptions {
  readonly file: string;
  readonly readFile: (path: string) => Promise<string>;
  /** Calls back at changes of the file's directory; returns what ends that. */
  readonly watch: (changed: () => void) => () => void;
  readonly setTimer: (callback: () => void, milliseconds: number) => () => void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly log: Log;
  readonly recorder: Pick<Recorder, 'reloadFailed'>;
}

export interface ContainerCredentialsSource {
  /** Kept once the file was read, or found absent. */
  ready(): Promise<void>;
  has(key: AccountKey): boolean;
  keys(): readonly string[];
  /** Why the file was not read yet; empty once it was. */
  problems(): readonly string[];
  close(): void;
}

export function createContainerCredentials(options: ContainerCredentialsOptions): ContainerCredentialsSource {
  const { file, log, recorder, now } = options;
  const first = Promise.withResolvers<void>();
  let accounts: ReadonlySet<string> = new Set();
  let text: string | undefined;
  let absentSince: number | undefined;
  let problem: string | undefined = `${file} was not read yet`;
  let reading = Promise.resolve();
  let stopTimer: (() => void) | undefined;
  let closed = false;

  function take(content: string): void {
    absentSince = undefined;
    if (content === text) return;
    try {
      accounts = accountsInFile(content);
      text = content;
      settle();
      log.info({ file, accounts: accounts.size }, 'container-credentials file read');
    } catch (error) {
      if (problem !== undefined)
        problem = `${file}: ${messageOf(error)}; want {"identities":[{"namespace":"…","serviceAccount":"…"}]}`;
      recorder.reloadFailed('container-credentials');
      log.error({ file, err: error }, 'container-credentials file cannot be used; the last good one stays');
    }
  }

  function missed(error: unknown): void {
    if (codeOf(error) !== 'ENOENT') {
      if (problem !== undefined) problem = `${file}: ${messageOf(error)}`;
      recorder.reloadFailed('container-credentials');
      log.error({ file, err: error }, 'container-credentials file cannot be read; the last good one stays');
      return;
    }
    absentSince ??= now();
    if (problem !== undefined)
      log.warn({ file }, 'container-credentials file is absent: no account has EKS Pod Identity');
    if (problem === undefined && now() - absentSince < ABSENT_GRACE_MS) return;
    if (accounts.size > 0) log.warn({ file }, 'container-credentials file is gone for a minute: it counts as empty');
    accounts = new Set();
    text = undefined;
    settle();
  }

  function settle(): void {
    problem = undefined;
    first.resolve();
  }

  async function read(): Promise<void> {
    if (closed) return;
    await options.readFile(file).then(take, missed);
  }

  /** One reading at a time, and one more after a change that came while it went on. */
  function look(): void {
    reading = reading.then(read);
  }

  function poll(): void {
    look();
    if (!closed) stopTimer = options.setTimer(poll, POLL_MS);
  }

  const stopWatching = options.watch(look);
  poll();
  return {
    ready: () => first.promise,
    has: (key) => accounts.has(keyOf(key)),
    keys: () => [...accounts],
    problems: () => (problem === undefined ? [] : [problem]),
    close() {
      closed = true;
      stopTimer?.();
      stopWatching();
    },
  };
}

/** `namespace/name` of the accounts in the file. Throws SyntaxError or TypeError; an empty file is an empty list. */
export function accountsInFile(text: string): ReadonlySet<string> {
  if (text.trim() === '') return new Set();
  const parsed: unknown = JSON.parse(text);
  if (!isObject(parsed)) throw new TypeError('the file is no JSON object');
  const identities = goField(parsed, 'identities') ?? [];
  if (!Array.isArray(identities)) throw new TypeError('"identities" is no list');
  return new Set(identities.map((identity: unknown, index) => keyFrom(identity, index)));
}

function keyFrom(identity: unknown, index: number): string {
  const namespace = isObject(identity) ? goField(identity, 'namespace') : undefined;
  const name = isObject(identity) ? goField(identity, 'serviceAccount') : undefined;
  if (typeof namespace !== 'string' || typeof name !== 'string' || namespace === '' || name === '') {
    throw new TypeError(`identities[${index}] has no namespace and serviceAccount`);
  }
  return keyOf({ namespace, name });
}
