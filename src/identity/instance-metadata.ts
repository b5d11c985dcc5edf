// The AWS account and region of the machine, from IMDSv2. Asked in the background until it answers: a machine that is
// not on EC2, or whose hop limit keeps containers out, must not keep the process from starting.
import { ownString } from '../admission/json.ts';
import { isRegion, partitionOf } from '../aws/partitions.ts';
import type { Log } from '../observe/log.ts';
import type { Recorder } from '../observe/recorder.ts';

/** What the instance identity document says. */
export interface InstanceIdentity {
  readonly accountId: string;
  readonly region: string;
  readonly partition: string;
}

export interface MetadataAnswer {
  readonly status: number;
  readonly body: string;
}

export interface InstanceMetadataOptions {
  /** Base URL, without a slash at its end. */
  readonly endpoint: string;
  readonly request: (
    method: 'GET' | 'PUT',
    url: string,
    options: { readonly headers: Readonly<Record<string, string>>; readonly timeoutMs: number },
  ) => Promise<MetadataAnswer>;
  /** Resolves after the time, or as soon as the signal aborts. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly log: Log;
  readonly recorder: Pick<Recorder, 'reloadFailed'>;
}

export interface InstanceMetadata {
  current(): InstanceIdentity | undefined;
  close(): void;
}

// IMDS answers within milliseconds. A PUT beyond the hop limit is never answered, so a second tells.
const TIMEOUT_MS = 1_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
// The token is used at once; AWS's SDKs ask for six hours.
const TOKEN_SECONDS = '21600';

export function createInstanceMetadata(options: InstanceMetadataOptions): InstanceMetadata {
  const { endpoint, request, sleep, log, recorder } = options;
  const closing = new AbortController();
  let identity: InstanceIdentity | undefined;

  async function ask(): Promise<InstanceIdentity> {
    const token = await request('PUT', `${endpoint}/latest/api/token`, {
      headers: { 'X-aws-ec2-metadata-token-ttl-seconds': TOKEN_SECONDS },
      timeoutMs: TIMEOUT_MS,
    });
    if (token.status !== 200) throw new Error(`token refused with status ${token.status}`);
    const document = await request('GET', `${endpoint}/latest/dynamic/instance-identity/document`, {
      headers: { 'X-aws-ec2-metadata-token': token.body },
      timeoutMs: TIMEOUT_MS,
    });
    if (document.status !== 200) throw new Error(`identity document refused with status ${document.status}`);
    return identityFrom(JSON.parse(document.body));
  }

  async function run(): Promise<void> {
    for (let waitMs = FIRST_WAIT_MS; !closing.signal.aborted; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      try {
        identity = await ask();
        log.info({ ...identity }, 'account and region known from the instance metadata');
        return;
      } catch (error) {
        recorder.reloadFailed('instance-metadata');
        const fix =
          'give --aws-account-id, --aws-partition and --aws-default-region, or raise the hop limit of IMDSv2 to 2';
        log.warn({ endpoint, error, fix }, 'instance metadata does not answer; asked again');
      }
      await sleep(waitMs, closing.signal).catch(() => {});
    }
  }

  void run();
  return { current: () => identity, close: () => closing.abort() };
}

function identityFrom(document: unknown): InstanceIdentity {
  const accountId = ownString(document, 'accountId') ?? '';
  const region = ownString(document, 'region') ?? '';
  if (!/^[0-9]{12}$/.test(accountId)) throw new Error(`accountId ${JSON.stringify(accountId)}: want 12 digits`);
  if (!isRegion(region)) throw new Error(`region ${JSON.stringify(region)}: want the name of an AWS region`);
  return { accountId, region, partition: partitionOf(region) };
}
