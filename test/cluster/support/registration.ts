// A webhook's registration at the API server, by URL: for every pod that is created, or for those that have labels.

export type FailurePolicy = 'Ignore' | 'Fail';

export interface RegistrationOptions {
  /** Name of the configuration: the API server calls webhooks in the order of these. */
  readonly configuration: string;
  readonly name: string;
  readonly url: string;
  readonly caPem: string;
  readonly failurePolicy: FailurePolicy;
  readonly reinvocationPolicy: 'Never' | 'IfNeeded';
  readonly timeoutSeconds: number;
  readonly labels?: Readonly<Record<string, string>>;
}

export function mutatingWebhook({ configuration, name, url, caPem, labels, ...policies }: RegistrationOptions): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: configuration },
    webhooks: [
      {
        name,
        clientConfig: { url, caBundle: Buffer.from(caPem, 'utf8').toString('base64') },
        rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
        ...(labels === undefined ? {} : { objectSelector: { matchLabels: labels } }),
        sideEffects: 'None',
        admissionReviewVersions: ['v1', 'v1beta1'],
        ...policies,
      },
    ],
  };
}
