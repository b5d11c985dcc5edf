// Another mutating webhook, as of a service mesh: it adds one container to the pods that ask for it by a label.
import { createServer } from 'node:https';
import { json } from 'node:stream/consumers';
import { ownField, ownList, ownString } from '../../../src/admission/json.ts';
import { createAuthority } from '../../support/certificates.ts';
import type { ControlPlane } from './control-plane.ts';
import { eventually } from './eventually.ts';
import { listening } from './listening.ts';
import { pod } from './objects.ts';
import { mutatingWebhook } from './registration.ts';

export interface Addition {
  /** Value of the label `adds` of the pods that get it. */
  readonly label: string;
  /** Name of the configuration, which says when in the order it is added. */
  readonly configuration: string;
  readonly list: 'containers' | 'initContainers';
  readonly at: 'start' | 'end';
  readonly container: { readonly name: string; readonly image: string; readonly restartPolicy?: string };
}

export interface SecondWebhook {
  close(): Promise<void>;
}

export interface SecondWebhookOptions {
  readonly controlPlane: ControlPlane;
  readonly additions: readonly Addition[];
  /** An account in the namespace `shop`, of the pods that show by a dry run that it is called. */
  readonly account: string;
}

/** Called by the API server when it resolves. */
export async function startSecondWebhook(options: SecondWebhookOptions): Promise<SecondWebhook> {
  const { controlPlane, additions, account } = options;
  const authority = await createAuthority();
  const { keyPem, certPem } = await authority.issue();
  const server = createServer({ key: keyPem, cert: certPem }, (incoming, outgoing) => {
    const addition = additions.find(({ label }) => incoming.url?.startsWith(`/${label}?`));
    outgoing.setHeader('Content-Type', 'application/json');
    void json(incoming).then((review) => outgoing.end(JSON.stringify(answerTo(review, addition))));
  });
  const { port, close } = await listening(server);

  for (const { label, configuration } of additions) {
    const manifest = mutatingWebhook({
      configuration,
      name: `${label}.mesh.example`,
      url: `https://127.0.0.1:${port}/${label}`,
      caPem: authority.caPem,
      failurePolicy: 'Fail',
      reinvocationPolicy: 'Never',
      timeoutSeconds: 5,
      labels: { adds: label },
    });
    await controlPlane.kubectl(['create', '-f', '-'], JSON.stringify(manifest));
  }
  for (const addition of additions) await called(addition);

  async function called({ label, list, container }: Addition): Promise<void> {
    const body = pod({ namespace: 'shop', name: `probe-${label}`, account, labels: { adds: label } });
    await eventually({ what: `the second webhook to add ${label}` }, async () => {
      const path = '/api/v1/namespaces/shop/pods?dryRun=All';
      const answer = await controlPlane.api.call({ method: 'POST', path, body });
      return has(answer.body, list, container.name) ? true : undefined;
    });
  }

  return { close };
}

function answerTo(review: unknown, addition: Addition | undefined): object {
  const request = ownField(review, 'request');
  const object = ownField(request, 'object');
  const response = { uid: ownString(request, 'uid'), allowed: true };
  const echoed = { apiVersion: ownField(review, 'apiVersion'), kind: ownField(review, 'kind') };
  if (addition === undefined || has(object, addition.list, addition.container.name)) {
    return { ...echoed, response };
  }
  const { list, at, container } = addition;
  const isEmpty = ownList(ownField(object, 'spec'), list).length === 0;
  const operation = isEmpty
    ? { op: 'add', path: `/spec/${list}`, value: [container] }
    : { op: 'add', path: `/spec/${list}/${at === 'start' ? '0' : '-'}`, value: container };
  const patch = Buffer.from(JSON.stringify([operation]), 'utf8').toString('base64');
  return { ...echoed, response: { ...response, patchType: 'JSONPatch', patch } };
}

function has(object: unknown, list: Addition['list'], name: string): boolean {
  return ownList(ownField(object, 'spec'), list).some((container) => ownString(container, 'name') === name);
}
