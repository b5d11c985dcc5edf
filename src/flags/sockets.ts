// Flags of the sockets that the server listens on, and of their certificates.
import type { Flag } from './flag.ts';
import { inGroup } from './flag.ts';

const PORTS = [0, 65_535] as const;
const SERVE = ['serve'] as const;

export const SOCKET_FLAGS: readonly Flag[] = inGroup('Sockets and certificates', [
  {
    name: 'port',
    type: 'integer',
    range: PORTS,
    default: '443',
    commands: SERVE,
    help: 'Port of the admission endpoint (HTTPS); 0 takes any free one. 8443 with --standalone.',
  },
  {
    name: 'bind-address',
    type: 'text',
    placeholder: 'ADDRESS',
    commands: SERVE,
    help: 'Address that both ports listen on; all of them unless given, 127.0.0.1 with --standalone.',
  },
  {
    name: 'metrics-port',
    type: 'integer',
    range: PORTS,
    default: '9999',
    commands: SERVE,
    help: 'Port of metrics and health (HTTP); 0 takes any free one.',
  },
  {
    name: 'tls-mode',
    type: 'choice',
    choices: ['files', 'self-signed'],
    default: 'files',
    commands: SERVE,
    help: 'Where the serving certificate comes from: --tls-key and --tls-cert, or a CA of our own in --tls-secret, which --webhook-configuration is made to trust.',
  },
  {
    name: 'tls-key',
    type: 'text',
    placeholder: 'FILE',
    default: '/etc/webhook/certs/tls.key',
    commands: SERVE,
    help: 'Private key (PEM), read again when it changes.',
  },
  {
    name: 'tls-cert',
    type: 'text',
    placeholder: 'FILE',
    default: '/etc/webhook/certs/tls.crt',
    commands: SERVE,
    help: 'Certificate chain (PEM), read again when it changes.',
  },
  {
    name: 'webhook-configuration',
    type: 'text',
    placeholder: 'NAME',
    commands: SERVE,
    help: 'MutatingWebhookConfiguration whose caBundle is kept with --tls-mode=self-signed, in the entries that point at the Service.',
  },
  {
    name: 'tls-ca-lifetime',
    type: 'duration',
    default: '8760h',
    commands: SERVE,
    help: 'Lifetime of the CA with --tls-mode=self-signed; the next one is introduced with a third of it left.',
  },
  {
    name: 'tls-leaf-lifetime',
    type: 'duration',
    default: '168h',
    commands: SERVE,
    help: 'Lifetime of each replica’s certificate with --tls-mode=self-signed; renewed with a third of it left.',
  },
  {
    name: 'tls-min-version',
    type: 'text',
    placeholder: 'VERSION',
    default: '1.2',
    commands: SERVE,
    help: 'Lowest TLS version: 1.0 to 1.3, or VersionTLS10 to VersionTLS13.',
  },
  {
    name: 'tls-cipher-suites',
    type: 'text',
    placeholder: 'NAMES',
    commands: SERVE,
    help: 'Comma-separated cipher suites by their Go (IANA) names; Node’s choice unless given.',
  },
  {
    name: 'client-ca-file',
    type: 'text',
    placeholder: 'FILE',
    commands: SERVE,
    help: 'CA (PEM) of the client certificates that /mutate then demands.',
  },
  {
    name: 'client-names',
    type: 'text',
    placeholder: 'NAMES',
    commands: SERVE,
    help: 'Comma-separated names of which a client certificate must carry one; any unless given.',
  },
  {
    name: 'service-name',
    type: 'text',
    placeholder: 'NAME',
    default: 'pod-identity-webhook',
    commands: SERVE,
    help: 'Service in front of the webhook; a certificate without its names is warned about.',
  },
  {
    name: 'namespace',
    type: 'text',
    placeholder: 'NAME',
    default: 'eks',
    commands: ['serve', 'inject', 'diagnose manifests', 'diagnose pod', 'diagnose serviceaccount'],
    help: 'Namespace of the webhook: of its Service, of --tls-secret and of the ConfigMap of roles.',
  },
]);
