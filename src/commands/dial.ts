// How the webhook of a cluster is reached from where a person sits: its pods through the API server, its URL directly.
import type { Duplex } from 'node:stream';
import { connect } from 'node:net';
import type { KubeConfig } from '@kubernetes/client-node';
import { hostOf } from './url-host.ts';
import type { Dial } from './webhook-certificates.ts';

const TIMEOUT_MS = 3000;
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

export function createDial(config: KubeConfig): Dial {
  const server = config.getCurrentCluster()?.server ?? '';
  const isHere = URL.canParse(server) && LOOPBACK.test(new URL(server).hostname);
  return {
    // Its code is loaded where it is used: the server never forwards.
    pod: async (port) => (await import('../kube/port-forward.ts')).forwardedTo(config, port),
    // The API server's own machine is this one only where the API server is.
    url: (url) => (LOOPBACK.test(url.hostname) && !isHere ? undefined : () => connectedTo(url)),
  };
}

async function connectedTo(url: URL): Promise<Duplex> {
  const socket = connect({ host: hostOf(url), port: url.port === '' ? 443 : Number(url.port) });
  const connected = Promise.withResolvers<void>();
  socket.once('connect', connected.resolve);
  socket.once('error', connected.reject);
  const timer = setTimeout(() => connected.reject(new Error(`no connection in ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
  try {
    await connected.promise;
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
