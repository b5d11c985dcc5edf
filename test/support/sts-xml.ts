// Answers of STS as AWS writes them: XML of the query protocol, which every SDK parses by its own service model.
import type { Refusal } from './sts-refusal.ts';
import type { Session } from './sts-sessions.ts';

const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/';

interface Element {
  readonly [name: string]: string | Element;
}

export function refusalXml({ status, code, message }: Refusal, requestId: string): string {
  const type = status < 500 ? 'Sender' : 'Receiver';
  const error: Element = { Type: type, Code: code, Message: message };
  return document('ErrorResponse', { Error: error, RequestId: requestId });
}

export interface Assumed {
  readonly session: Session;
  readonly subject: string;
  readonly audience: string;
  readonly providerArn: string;
}

export function assumedXml({ session, subject, audience, providerArn }: Assumed, requestId: string): string {
  return answer('AssumeRoleWithWebIdentity', requestId, {
    Audience: audience,
    AssumedRoleUser: { AssumedRoleId: session.userId, Arn: session.arn },
    Provider: providerArn,
    Credentials: {
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      SessionToken: session.sessionToken,
      Expiration: seconds(session.expiresMs),
    },
    SubjectFromWebIdentityToken: subject,
  });
}

export function callerXml({ arn, userId, accountId }: Session, requestId: string): string {
  return answer('GetCallerIdentity', requestId, { Arn: arn, UserId: userId, Account: accountId });
}

function answer(action: string, requestId: string, result: Element): string {
  const metadata: Element = { RequestId: requestId };
  return document(`${action}Response`, { [`${action}Result`]: result, ResponseMetadata: metadata });
}

function document(name: string, content: Element): string {
  return `<${name} xmlns="${namespace}">\n${lines(content, '  ')}</${name}>\n`;
}

function lines(element: Element, indent: string): string {
  return Object.entries(element)
    .map(([name, value]) =>
      typeof value === 'string'
        ? `${indent}<${name}>${escaped(value)}</${name}>\n`
        : `${indent}<${name}>\n${lines(value, `${indent}  `)}${indent}</${name}>\n`,
    )
    .join('');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

// AWS gives whole seconds.
function seconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
