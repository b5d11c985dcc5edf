// `demo`: the main job in one go on this machine, without a cluster. The review of the example pod goes to a real server
// as the API server would send it; what comes back is applied, shown and explained.
import { basename, join } from 'node:path';
import type { AccountKey } from '../admission/identity.ts';
import { keyOf } from '../admission/identity.ts';
import type { JsonObject } from '../admission/json.ts';
import { ownField } from '../admission/json.ts';
import { serviceAccountNameOf } from '../admission/pod.ts';
import type { ManifestObject } from '../kube/manifest-documents.ts';
import { accountKeyFrom, namespaceOf, objectsOf } from '../kube/manifest-documents.ts';
import { admissionFrom } from './admission.ts';
import { demoText } from './demo-text.ts';
import type { Answer } from './example-review.ts';
import { callWebhook, reviewOfPod } from './example-review.ts';
import { readInputs } from './inputs.ts';
import type { CommandIo, ExitCode } from './io.ts';
import { paintWith } from './paint.ts';

export interface DemoServer {
  /** Of the admission port. */
  readonly url: string;
  readonly adminUrl: string;
  /** The authority of its certificate. */
  readonly caPem: string;
  close(): Promise<void>;
}

export interface DemoOptions {
  /** Holds pod.yaml and serviceaccount.yaml. */
  readonly examplesDirectory: string;
  /** The standalone server on free ports, with the ServiceAccounts of the directory. */
  start(directory: string): Promise<DemoServer>;
}

/** What the demo is about. */
interface Example {
  readonly pod: JsonObject;
  readonly account: AccountKey;
  readonly annotations: unknown;
}

// A review's uid is any text that tells it apart; this one makes the demo say the same each time.
const UID = '0f8fad5b-d9cb-469f-a165-70867728950e';

export async function runDemo({ examplesDirectory, start }: DemoOptions, io: CommandIo): Promise<ExitCode> {
  const files = ['serviceaccount.yaml', 'pod.yaml'].map((name) => join(examplesDirectory, name));
  const { inputs, problems } = await readInputs(files, io);
  const manifests = inputs.flatMap(({ documents }) => documents.flatMap(({ value }) => objectsOf(value)));
  const example = problems.length > 0 ? problems.join('\n') : exampleFrom(manifests, examplesDirectory);
  if (typeof example === 'string') {
    io.stderr(`${example}\n`);
    return 2;
  }
  const server = await start(examplesDirectory);
  try {
    const answer = await answerOf(server, example.pod);
    const admission = typeof answer === 'string' ? answer : admissionFrom(answer, example.pod, UID);
    if (typeof admission === 'string') {
      io.stderr(`the demo failed: ${admission}\n`);
      return 1;
    }
    const directory = basename(examplesDirectory);
    io.stdout(demoText({ ...example, ...admission, url: server.url, directory }, paintWith(io.colour)));
    return 0;
  } finally {
    await server.close();
  }
}

/** Or a sentence on what is missing. */
function exampleFrom(manifests: readonly ManifestObject[], directory: string): Example | string {
  const pod = manifests.find(({ kind }) => kind === 'Pod')?.object;
  if (pod === undefined) return `${join(directory, 'pod.yaml')}: there is no Pod in it; put the example pod back`;
  const account = { namespace: namespaceOf(pod), name: serviceAccountNameOf(pod) };
  const found = manifests.find((manifest) => {
    const key = accountKeyFrom(manifest);
    return key !== undefined && keyOf(key) === keyOf(account);
  });
  return { pod, account, annotations: ownField(ownField(found?.object, 'metadata'), 'annotations') };
}

async function answerOf({ url, caPem }: DemoServer, pod: JsonObject): Promise<Answer | string> {
  try {
    return await callWebhook({ url, caPem, review: reviewOfPod(pod, UID) });
  } catch (error) {
    return `${url} did not answer: ${String(ownField(error, 'message') ?? error)}`;
  }
}
