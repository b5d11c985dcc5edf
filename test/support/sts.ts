// A strict AWS STS on loopback: AssumeRoleWithWebIdentity and GetCallerIdentity as SDKs call them, with nothing believed
// that AWS would check. What is in its accounts' IAM, the test says, and may change while it runs.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { NOT_AUTHORIZED } from '../../src/aws/sts-errors.ts';
import { DURATION_TOO_LONG } from './sts-answers.ts';
import { listen } from './sts-listening.ts';
import { actionOf, parseAssumeRole } from './sts-query.ts';
import { isRefusal, refusalFrom } from './sts-refusal.ts';
import type { Refusal } from './sts-refusal.ts';
import { createSessions } from './sts-sessions.ts';
import type { Sessions, SignedRequest } from './sts-sessions.ts';
import { judgeToken } from './sts-token.ts';
import type { Provider } from './sts-token.ts';
import { isTrusted } from './sts-trust.ts';
import type { FetchPage } from './sts-web.ts';
import { assumedXml, callerXml, refusalXml } from './sts-xml.ts';

export interface Role {
  readonly arn: string;
  /** The policy document, as IAM stores it. */
  readonly trustPolicy: unknown;
  /** Default: 3600, as IAM's. */
  readonly maxSessionSeconds?: number;
}

export interface StsOptions {
  /** Of all accounts; read anew for every call. */
  readonly providers: readonly Provider[];
  readonly roles: readonly Role[];
  /** How issuers are reached. */
  readonly fetchPage: FetchPage;
  /** Milliseconds. Default: this machine's clock. */
  readonly now?: () => number;
  /** Address to listen on. Default: 127.0.0.1. */
  readonly host?: string;
}

/** One request, as it was answered. */
export interface Call {
  readonly action: string;
  readonly roleArn?: string;
  readonly sessionName?: string;
  /** Of a token that is believed. */
  readonly tokenId?: string;
  /** Region of a signed request. */
  readonly region?: string;
  /** `ok`, or the code of the refusal. */
  readonly outcome: string;
}

/** A request and its answer, as they were sent. */
export interface Exchange {
  readonly form: string;
  readonly xml: string;
}

export interface Sts {
  readonly url: string;
  readonly sessions: Sessions;
  /** Of a role that was given last. */
  lastAssumed(): Exchange | undefined;
  /** All calls so far. */
  calls(): readonly Call[];
  close(): Promise<void>;
}

// A form holds a token of 20,000 characters at most, and little else.
const maxBytes = 65_536;

interface Answer {
  readonly status: number;
  readonly xml: string;
  readonly call: Call;
}

export async function startSts(options: StsOptions): Promise<Sts> {
  const { now = Date.now, host = '127.0.0.1' } = options;
  const sessions = createSessions({ now });
  const calls: Call[] = [];
  let lastAssumed: Exchange | undefined;
  const server = createServer((incoming, outgoing) => {
    void answerTo(incoming, outgoing);
  });

  async function answerTo(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { status, xml, call } = await answered(incoming).catch((error: unknown) =>
      refused({ status: 500, code: 'InternalFailure', message: String(error) }, ''),
    );
    calls.push(call);
    outgoing.writeHead(status, { 'Content-Type': 'text/xml' }).end(xml);
  }

  async function answered(incoming: IncomingMessage): Promise<Answer> {
    const body = await bodyOf(incoming);
    const form = formOf(incoming, body);
    const action = actionOf(form);
    if (typeof action !== 'string') return refused(action, form.get('Action') ?? '');
    if (action === 'AssumeRoleWithWebIdentity') {
      const answer = await assumed(form);
      if (answer.call.outcome === 'ok') lastAssumed = { form: body, xml: answer.xml };
      return answer;
    }
    return caller({ method: incoming.method ?? '', path: incoming.url ?? '', headers: incoming.headers, body });
  }

  async function assumed(form: URLSearchParams): Promise<Answer> {
    const action = 'AssumeRoleWithWebIdentity';
    const parameters = parseAssumeRole(form);
    if (isRefusal(parameters)) return refused(parameters, action);
    const { roleArn, role, sessionName, token, durationSeconds } = parameters;
    const told = { roleArn, sessionName };
    const providers = options.providers.filter(({ arn }) =>
      arn.startsWith(`arn:${role.partition}:iam::${role.accountId}:oidc-provider/`),
    );
    const trusted = await judgeToken(token, { providers, fetchPage: options.fetchPage, now });
    if (isRefusal(trusted)) return refused(trusted, action, told);
    const found = options.roles.find(({ arn }) => arn === roleArn);
    if (found === undefined || !isTrusted({ policy: found.trustPolicy, trusted, roleArn, nowMs: now() })) {
      return refused(refusalFrom(NOT_AUTHORIZED), action, told);
    }
    if (durationSeconds > (found.maxSessionSeconds ?? 3600)) {
      return refused(refusalFrom(DURATION_TOO_LONG), action, told);
    }
    const session = sessions.open({ role, sessionName, durationSeconds });
    const { subject, audience, provider, tokenId } = trusted;
    const xml = assumedXml({ session, subject, audience, providerArn: provider.arn }, randomUUID());
    return {
      status: 200,
      xml,
      call: { action, ...told, ...(tokenId === undefined ? {} : { tokenId }), outcome: 'ok' },
    };
  }

  function caller(request: SignedRequest): Answer {
    const action = 'GetCallerIdentity';
    const found = sessions.callerOf(request);
    if (isRefusal(found)) return refused(found, action);
    return {
      status: 200,
      xml: callerXml(found.session, randomUUID()),
      call: { action, region: found.region, outcome: 'ok' },
    };
  }

  const { port, close } = await listen(server, host);
  return {
    url: `http://${host}:${port}`,
    sessions,
    lastAssumed: () => lastAssumed,
    calls: () => [...calls],
    close,
  };
}

function refused(refusal: Refusal, action: string, told: Omit<Call, 'action' | 'outcome'> = {}): Answer {
  const call = { action, ...told, outcome: refusal.code };
  return { status: refusal.status, xml: refusalXml(refusal, randomUUID()), call };
}

function formOf({ method, headers }: IncomingMessage, body: string): URLSearchParams {
  const [type] = (headers['content-type'] ?? '').split(';');
  return new URLSearchParams(method === 'POST' && type === 'application/x-www-form-urlencoded' ? body : '');
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`The form is longer than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
