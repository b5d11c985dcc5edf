// The instance metadata service (IMDSv2) of a machine in China, away until a test lets it answer.
import { createServer } from 'node:http';
import { listening } from './listening.ts';

export interface FakeInstanceMetadata {
  readonly url: string;
  /** How often it was asked for a token while it was away. */
  refusals(): number;
  answerFromNowOn(): void;
  close(): Promise<void>;
}

const token = 'session-token-of-the-metadata';
const document = { accountId: '444455556666', region: 'cn-north-1', instanceId: 'i-0123456789abcdef0' };

export async function createInstanceMetadata(): Promise<FakeInstanceMetadata> {
  let isThere = false;
  let refusals = 0;
  const server = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const asksToken = method === 'PUT' && url === '/latest/api/token';
    if (!isThere) {
      if (asksToken) refusals += 1;
      outgoing.writeHead(503).end();
    } else if (asksToken && Number(headers['x-aws-ec2-metadata-token-ttl-seconds']) > 0) {
      outgoing.end(token);
    } else if (method === 'GET' && url === '/latest/dynamic/instance-identity/document') {
      // Version 1, which asked without a token, is off.
      if (headers['x-aws-ec2-metadata-token'] === token) outgoing.end(JSON.stringify(document));
      else outgoing.writeHead(401).end();
    } else {
      outgoing.writeHead(404).end();
    }
  });
  const { port, close } = await listening(server);
  return {
    url: `http://127.0.0.1:${port}`,
    refusals: () => refusals,
    answerFromNowOn: () => {
      isThere = true;
    },
    close,
  };
}
