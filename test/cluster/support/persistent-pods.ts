// Clients that create pods, each with an account of its own, and try again whatever happens: controllers, in short.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from './api-client.ts';
import { eventually } from './eventually.ts';
import { pod, roleFor, serviceAccount } from './objects.ts';

export interface PersistentPodsOptions {
  readonly api: ApiClient;
  readonly namespace: string;
  /** No new pod is begun after that; the one in hand is brought to its end. */
  readonly until: AbortSignal;
}

export interface PersistentPods {
  /** Names of the accepted pods so far; each has the role `roleFor(name)`. */
  readonly accepted: readonly string[];
  /** How often each kind of answer was seen. */
  readonly answers: ReadonlyMap<string, number>;
  readonly done: Promise<void>;
}

export function createPodsPersistently({ api, namespace, until }: PersistentPodsOptions): PersistentPods {
  const accepted: string[] = [];
  const answers = new Map<string, number>();
  const count = (answer: string): unknown => answers.set(answer, (answers.get(answer) ?? 0) + 1);

  async function create(resource: 'serviceaccounts' | 'pods', body: object): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/${resource}`;
    await eventually({ what: `${resource} to be accepted`, timeoutMs: 60_000 }, async () => {
      try {
        const { status } = await api.call({ method: 'POST', path, body });
        count(`${resource} ${status}`);
        // An answer may get lost after its object was stored; the next try says that it exists.
        return status === 201 || status === 409 ? true : undefined;
      } catch (error) {
        count(`${resource} without answer`);
        throw error;
      }
    });
  }

  async function work(client: string): Promise<void> {
    for (let index = 0; !until.aborted; index += 1) {
      const name = `${client}-${String(index).padStart(4, '0')}`;
      await create('serviceaccounts', serviceAccount({ namespace, name, roleArn: roleFor(name) }));
      await create('pods', pod({ namespace, name, account: name }));
      accepted.push(name);
      // The machine's cores belong to the API server in the first place.
      await sleep(20);
    }
  }

  const done = Promise.all(['a', 'b', 'c'].map(async (client) => work(client))).then(() => undefined);
  return { accepted, answers, done };
}
