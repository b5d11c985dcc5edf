// Opens a server's port, and says in the user's words why it cannot.
import { once } from 'node:events';
import type { Server } from 'node:net';

export interface ListenOptions {
  /** 0: any free port. */
  readonly port: number;
  /** All addresses where undefined. */
  readonly host: string | undefined;
  /** The option that the port comes from. */
  readonly portFlag: '--port' | '--metrics-port';
}

/** Rejects with an error whose message names the option and what to do; its `code` is the system's. */
export async function listen(server: Server, { port, host, portFlag }: ListenOptions): Promise<void> {
  try {
    server.listen({ port, ...(host === undefined ? {} : { host }) });
    await once(server, 'listening');
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown error';
    const reason = REASONS[code]?.({ port, host, portFlag }) ?? `${portFlag}=${port} cannot be opened (${code})`;
    throw Object.assign(new Error(reason, { cause: error }), { code });
  }
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where the server listens; throws before it does. */
export function addressOf(server: Server): Address {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return { host: address.address, port: address.port };
}

const REASONS: Readonly<Record<string, (options: ListenOptions) => string>> = {
  EACCES: ({ port, portFlag }) =>
    port < 1_024
      ? `${portFlag}=${port} is not allowed to this user (EACCES): ports below 1024 are reserved. ` +
        `Use ${portFlag}=8443 with the Service's targetPort 8443, or allow it by the pod's safe sysctl ` +
        'net.ipv4.ip_unprivileged_port_start=0'
      : `${portFlag}=${port} is not allowed to this user (EACCES)`,
  EADDRINUSE: ({ port, portFlag }) =>
    `${portFlag}=${port} is in use by another process (EADDRINUSE); end it, or give another ${portFlag}`,
  EADDRNOTAVAIL: ({ host }) =>
    `--bind-address=${JSON.stringify(host ?? '')} is no address of this machine (EADDRNOTAVAIL)`,
  ENOTFOUND: ({ host }) => `--bind-address=${JSON.stringify(host ?? '')} is no address that can be found (ENOTFOUND)`,
};
