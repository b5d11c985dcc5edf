// The file that lists the ServiceAccounts with EKS Pod Identity: read again when it changes, and when it cannot be
// read, what it said last is used as long as the rules below allow.
import type { AccountKey } from '../admission/identity.ts';
import { keyOf } from '../admission/identity.ts';
import { goField, isObject } from '../admission/json.ts';
import { codeOf, messageOf } from '../admission/thrown.ts';
import { parsedJson } from '../aws/parsed-json.ts';
import type { Log } from '../observe/log.ts';
import type { Recorder } from '../observe/recorder.ts';

/** How long a file that has vanished still counts: a swap by hand removes it for a moment. */
const ABSENT_GRACE_MS = 60_000;

export interface ContainerCredentialsOptions {
  readonly file: string;
  readonly readFile: (path: string) => Promise<string>;
  /** Calls `look` at once, after changes of the file's directory, and now and then; one look at a time. */
  readonly reload: (look: () => Promise<'done' | 'look-again'>) => { close(): void };
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly log: Log;
  readonly recorder: Pick<Recorder, 'reloadFailed'>;
}

export interface ContainerCredentialsSource {
  /** Undefined until the file was read, or found absent. */
  has(key: AccountKey): boolean | undefined;
  /** Why the file was not read yet; empty once it was. */
  problems(): readonly string[];
  close(): void;
}

export function createContainerCredentials(options: ContainerCredentialsOptions): ContainerCredentialsSource {
  const { file, log, recorder, now } = options;
  let accounts: ReadonlySet<string> = new Set();
  let text: string | undefined;
  /** What could not be used, and was seen once: a file that is being written is empty or cut off for a moment. */
  let suspect: string | undefined;
  let complaint: string | undefined;
  let absentSince: number | undefined;
  let problem: string | undefined = `${file} was not read yet`;

  function take(content: string): 'done' | 'look-again' {
    absentSince = undefined;
    if (content === text) return 'done';
    const isSecondLook = content === suspect;
    suspect = content;
    if (content.trim() === '' && !isSecondLook) return 'look-again';
    try {
      accounts = accountsInFile(content);
      text = content;
      settle();
      log.info({ file, accounts: accounts.size }, 'container-credentials file read');
    } catch (error) {
      if (!isSecondLook) return 'look-again';
      complain(messageOf(error), error);
    }
    return 'done';
  }

  function missed(error: unknown): 'done' {
    if (codeOf(error) !== 'ENOENT') {
      complain(messageOf(error), error);
      return 'done';
    }
    absentSince ??= now();
    if (problem !== undefined)
      log.warn({ file }, 'container-credentials file is absent: no account has EKS Pod Identity');
    else if (now() - absentSince < ABSENT_GRACE_MS) return 'done';
    if (accounts.size > 0) log.warn({ file }, 'container-credentials file is gone for a minute: it counts as empty');
    accounts = new Set();
    text = undefined;
    settle();
    return 'done';
  }

  /** Says once what is wrong, however often the file is looked at. */
  function complain(message: string, error: unknown): void {
    if (problem !== undefined)
      problem = `${file}: ${message}; want {"identities":[{"namespace":"…","serviceAccount":"…"}]}`;
    if (message === complaint) return;
    complaint = message;
    recorder.reloadFailed('container-credentials');
    log.error({ file, error }, 'container-credentials file cannot be used; the last good one stays');
  }

  function settle(): void {
    problem = undefined;
    complaint = undefined;
  }

  const reloader = options.reload(async () => options.readFile(file).then(take, missed));
  return {
    has: (key) => (problem === undefined ? accounts.has(keyOf(key)) : undefined),
    problems: () => (problem === undefined ? [] : [problem]),
    close: () => reloader.close(),
  };
}

/** `namespace/name` of the accounts in the file. Throws SyntaxError or TypeError; an empty file is an empty list. */
export function accountsInFile(text: string): ReadonlySet<string> {
  if (text.trim() === '') return new Set();
  const parsed: unknown = parsedJson(text);
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
