// The screen of the demo, for somebody who has never heard of roles for ServiceAccounts.
import { variablesOf } from '../admission/container.ts';
import type { AccountKey } from '../admission/identity.ts';
import { keyOf } from '../admission/identity.ts';
import type { JsonObject } from '../admission/json.ts';
import { ownString } from '../admission/json.ts';
import { containersOf } from '../admission/pod.ts';
import { EXPLANATIONS } from '../admission/reasons.ts';
import type { Admission } from './admission.ts';
import { diffText } from './diff.ts';
import type { Paint } from './paint.ts';
import { blockText } from './yaml-style.ts';

export interface DemoScene extends Admission {
  readonly pod: JsonObject;
  readonly account: AccountKey;
  /** Of the ServiceAccount. */
  readonly annotations: unknown;
  /** Where the webhook was asked. */
  readonly url: string;
  /** Name of the directory of the examples. */
  readonly directory: string;
}

export function demoText(scene: DemoScene, paint: Paint): string {
  const { pod, operations, account, annotations, directory, url, reason, method, roleArn } = scene;
  const yaml = blockText({ annotations }, INDENT.length, { step: 2, listStep: 2, lineEnd: '\n' });
  const diff = diffText({ pod, operations, prefix: [], paint });
  return `${INTRODUCTION}
${paint.bold(`1. The ServiceAccount ${keyOf(account)} names an IAM role`)} (${directory}/serviceaccount.yaml)
${yaml}
${paint.bold('2. A pod is created, and Kubernetes asks the webhook')} (${directory}/pod.yaml, POST ${url}/mutate)
   The answer is a patch that adds the lines with +, and touches nothing else:
${diff.replaceAll(/^(?=.)/gm, INDENT)}
${paint.bold(`3. The decision: ${EXPLANATIONS[reason].meaning}`)}
   decision=patch reason=${reason} method=${method} serviceAccount=${keyOf(account)} roleArn=${roleArn}

${paint.bold('4. What an AWS SDK does with it, without a line of code')}
${sdkText(scene)}
${paint.bold('Try next')}
${TRY_NEXT.map(([command, remark]) => `   ${command}\n      ${remark}\n`).join('')}`;
}

const INDENT = '   ';

const INTRODUCTION = `Programs in a cluster need credentials for AWS, and keys in Secrets leak and never expire.
With this webhook a pod gets the IAM role of its Kubernetes ServiceAccount instead: nothing secret is stored anywhere.
Kubernetes asks the webhook about each new pod, and it adds the role's name and a short-lived token. Here it happens:
`;

function sdkText({ patched }: DemoScene): string {
  return containersOf(patched)
    .slice(0, 1)
    .map(({ container }) => {
      const variables = variablesOf(container);
      return `   In the container ${ownString(container, 'name')} it finds AWS_ROLE_ARN, and a token signed by the cluster in the file
   ${variables.get('AWS_WEB_IDENTITY_TOKEN_FILE')}, which the kubelet keeps fresh.
   It sends both to AWS (sts:AssumeRoleWithWebIdentity). AWS checks the signature and the role's trust policy, and
   answers with credentials of ${variables.get('AWS_ROLE_ARN')} for an hour.
`;
    })
    .join('');
}

// Each works as it stands in a checkout where this demo has run.
const TRY_NEXT: readonly (readonly [command: string, remark: string])[] = [
  ['npx node src/main.ts inject -f examples/deployment.yaml --diff', 'the same for a Deployment, before it is applied'],
  ['npm start', 'the webhook on this machine; edit examples/serviceaccount.yaml while it runs, and ask it, elsewhere:'],
  [
    "curl -sk https://127.0.0.1:8443/mutate -H 'Content-Type: application/json' -d @examples/review.json",
    'what the API server asks and gets, in its own words',
  ],
];
