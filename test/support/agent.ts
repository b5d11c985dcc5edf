// EKS Pod Identity's agent on loopback, with the cloud behind it: takes a pod's token, raw, judges it as strictly as STS does,
// and gives the credentials of the role that the cluster has associated with the ServiceAccount.
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { randomUUID } from 'node:crypto';
import { ownField, ownString } from '../../src/admission/json.ts';
import { parseRoleArn } from '../../src/aws/arn.ts';
import { listen } from './sts-listening.ts';
import { isRefusal } from './sts-refusal.ts';
import type { Sessions } from './sts-sessions.ts';
import { judgeToken } from './sts-token.ts';
import type { TrustedToken } from './sts-token.ts';
import type { FetchPage } from './sts-web.ts';

export interface AgentOptions {
  /** Role ARN by `namespace/name` of the ServiceAccount. */
  readonly associations: Readonly<Record<string, string>>;
  readonly issuer: string;
  readonly fetchPage: FetchPage;
  /** Of the STS that the pod asks afterwards: both are AWS. */
  readonly sessions: Sessions;
  /** Milliseconds. Default: this machine's clock. */
  readonly now?: () => number;
  /** Address to listen on. Default: 127.0.0.1. */
  readonly host?: string;
  /** What clients must have called it by. Default: where it listens. */
  readonly calledBy?: string;
}

export interface Agent {
  readonly url: string;
  /** For each request, whom it was for, or why it was refused. */
  calls(): readonly string[];
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly call: string;
}

const path = '/v1/credentials';
const cluster = 'shop';
// Of the agent's cloud: AssumeRoleForPodIdentity gives six hours.
const durationSeconds = 21_600;

export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { associations, issuer, fetchPage, sessions, now = Date.now, host = '127.0.0.1' } = options;
  const providers = [{ arn: '', url: issuer, clientIds: ['pods.eks.amazonaws.com'] }];
  const calls: string[] = [];
  const server = createServer((incoming, outgoing) => {
    void answered(incoming).then(({ status, text, call }) => {
      calls.push(call);
      outgoing.writeHead(status).end(text);
      return undefined;
    });
  });
  const { port, close } = await listen(server, host);
  const { calledBy = `${host}:${port}` } = options;

  async function answered({ method, url, headers }: IncomingMessage): Promise<Answer> {
    if (headers.host !== calledBy) {
      return refused(403, `Access Denied. Called agent through invalid address ${headers.host ?? ''}`);
    }
    if (method !== 'GET' || url !== path) return refused(404, 'Not Found');
    const token = headers.authorization ?? '';
    if (token === '') return refused(400, 'Service account token cannot be empty');
    const trusted = await judgeToken(token, { providers, fetchPage, now });
    if (isRefusal(trusted)) return refused(400, `Service account token cannot be parsed: ${trusted.message}`);
    return given(trusted);
  }

  function given({ subject, claims }: TrustedToken): Answer {
    const account = subject.replace('system:serviceaccount:', '').replace(':', '/');
    const role = parseRoleArn(Object.hasOwn(associations, account) ? (associations[account] ?? '') : '');
    if (role === undefined) return refused(404, `No association for ${account}`);
    const pod = ownString(ownField(ownField(claims, 'kubernetes.io'), 'pod'), 'name') ?? '';
    // At most 64 characters, as every session name.
    const sessionName = `eks-${cluster}-${pod.slice(0, 18)}-${randomUUID()}`;
    const session = sessions.open({ role, sessionName, durationSeconds });
    const text = JSON.stringify({
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      Token: session.sessionToken,
      AccountId: session.accountId,
      Expiration: new Date(session.expiresMs).toISOString(),
    });
    return { status: 200, text, call: subject };
  }

  return { url: `http://${host}:${port}${path}`, calls: () => [...calls], close };
}

function refused(status: number, text: string): Answer {
  return { status, text, call: text };
}
