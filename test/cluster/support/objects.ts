// The objects that tests make by the hundred, and how they read what became of them.
import { ownField, ownList, ownString } from '../../../src/admission/json.ts';

export interface AccountOptions {
  readonly namespace: string;
  readonly name: string;
  readonly roleArn?: string;
}

export function serviceAccount({ namespace, name, roleArn }: AccountOptions): object {
  const annotations = roleArn === undefined ? {} : { 'eks.amazonaws.com/role-arn': roleArn };
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name, annotations } };
}

export interface PodOptions {
  readonly namespace: string;
  readonly name: string;
  readonly account: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export function pod({ namespace, name, account, labels = {} }: PodOptions): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, labels },
    spec: { serviceAccountName: account, containers: [{ name: 'app', image: 'registry.example/app:1' }] },
  };
}

/** A role that nobody could take for another: no two names give the same. */
export function roleFor(name: string): string {
  return `arn:aws:iam::111122223333:role/${name}`;
}

/** The value of AWS_ROLE_ARN of each container of the pod that has one. */
export function roleArnsOf(stored: unknown): string[] {
  return ownList(ownField(stored, 'spec'), 'containers')
    .flatMap((container) => ownList(container, 'env'))
    .filter((variable) => ownString(variable, 'name') === 'AWS_ROLE_ARN')
    .map((variable) => ownString(variable, 'value') ?? '');
}

/** Name and roles of each pod in a PodList, in the order of the names. */
export function rolesByPod(list: unknown): [name: string, roleArns: string[]][] {
  return ownList(list, 'items')
    .map((item): [string, string[]] => [ownString(ownField(item, 'metadata'), 'name') ?? '', roleArnsOf(item)])
    .toSorted(([one], [other]) => one.localeCompare(other));
}
