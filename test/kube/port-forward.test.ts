// What comes back where a pod's port cannot be reached; that one is reached is tested on a real node, by diagnose.
import { afterEach, describe, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { loadKubeConfig } from '../../src/kube/kubeconfig.ts';
import { forwardedTo } from '../../src/kube/port-forward.ts';

let server: Server | undefined;
afterEach(async () => new Promise((resolve) => server?.close(resolve)));

async function serverAt(): Promise<string> {
  server = createServer();
  await new Promise<void>((resolve) => void server?.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('want a port');
  return `http://127.0.0.1:${address.port}`;
}

describe('forwardedTo', () => {
  const port = { namespace: 'aws/..', pod: 'web hook', port: 9443 };

  test('says how the API server refuses, and asks for nothing but the port of that pod', async () => {
    const url = await serverAt();
    const asked: unknown[] = [];
    server?.on('upgrade', (request, socket) => {
      asked.push(request.url);
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
    });
    await expect(forwardedTo(loadKubeConfig({ server: url }), port)).rejects.toThrow('Unexpected server response: 403');
    expect(asked).toEqual(['/api/v1/namespaces/aws%2F../pods/web%20hook/portforward?ports=9443']);
  });

  test('says that nobody is there', async () => {
    const url = await serverAt();
    await new Promise((resolve) => server?.close(resolve));
    await expect(forwardedTo(loadKubeConfig({ server: url }), port)).rejects.toThrow('ECONNREFUSED');
  });
});
