// The stream to a pod's port, over a WebSocket that plays the API server; that a real one takes it is tested on a real node,
// by diagnose.
import { afterEach, describe, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { loadKubeConfig } from '../../src/kube/kubeconfig.ts';
import { forwardedTo } from '../../src/kube/port-forward.ts';

const target = { namespace: 'aws/..', pod: 'web hook', port: 9443 };
const path = '/api/v1/namespaces/aws%2F../pods/web%20hook/portforward?ports=9443';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('want a port');
  return `http://127.0.0.1:${address.port}`;
}

/** Plays the node: what is said on a new connection. */
async function nodeThat(speaks: (socket: WebSocket) => void): Promise<{ url: string; asked: unknown[] }> {
  const server = createServer();
  const asked: unknown[] = [];
  const sockets = new WebSocketServer({ server });
  closing.push(() => {
    for (const socket of sockets.clients) socket.terminate();
  });
  sockets.on('connection', (socket, request) => {
    asked.push(request.url, socket.protocol);
    for (const channel of [0, 1]) socket.send(Buffer.from([channel, 0xe3, 0x24]));
    speaks(socket);
  });
  return { url: await listening(server), asked };
}

const forwarded = async (url: string, timeoutMs = 5000): ReturnType<typeof forwardedTo> =>
  forwardedTo(loadKubeConfig({ server: url }), target, { timeoutMs });

describe('forwardedTo', () => {
  test('carries bytes both ways, until the node ends it', async () => {
    const { url, asked } = await nodeThat((socket) => {
      socket.on('message', (message: Buffer) => {
        socket.send(Buffer.concat([Buffer.of(0), Buffer.from(`you said ${message.subarray(1).toString()}`)]));
        // An empty message is no message of any channel.
        socket.send(Buffer.alloc(0));
        socket.close();
      });
    });
    const stream = await forwarded(url);
    stream.write('hello');
    expect([await text(stream), asked]).toEqual(['you said hello', [path, 'v4.channel.k8s.io']]);
  });

  test('ends when we do', async () => {
    const closed = Promise.withResolvers<void>();
    const { url } = await nodeThat((socket) => socket.once('close', () => closed.resolve()));
    const stream = await forwarded(url);
    stream.end();
    await closed.promise;
    expect(stream.writableEnded).toBe(true);
  });

  test('keeps what the node complains about for whoever takes the stream, however early it comes', async () => {
    const { url } = await nodeThat((socket) => {
      socket.send(Buffer.concat([Buffer.of(1), Buffer.from('connection refused\n')]));
    });
    const stream = await forwarded(url);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(stream.errored).toEqual(expect.objectContaining({ message: 'connection refused' }));
  });

  test('says how the API server refuses', async () => {
    const server = createServer();
    server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n'));
    await expect(forwarded(await listening(server))).rejects.toThrow('Unexpected server response: 403');
  });

  test('waits no longer than it was told for an API server that says nothing', async () => {
    const server = createServer();
    server.on('upgrade', () => undefined);
    await expect(forwarded(await listening(server), 50)).rejects.toThrow('Opening handshake has timed out');
  });

  test('says that nobody is there', async () => {
    const url = await listening(createServer());
    for (const close of closing.splice(0)) close();
    await expect(forwarded(url)).rejects.toThrow('ECONNREFUSED');
  });
});
