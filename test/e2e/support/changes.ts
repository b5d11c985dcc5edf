// What an administrator changes in published manifests where our image cannot run with them as they are, and the message
// that tells so.
import type { Change, Exit } from './installation.ts';

/** The first cure: any user may listen on any port of the pod's own network. */
export const sysctl: Change = {
  Deployment: [
    {
      op: 'add',
      path: '/spec/template/spec/securityContext',
      value: { sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }] },
    },
  ],
};

/** The second cure: a port that needs no right. */
export const port8443: Change = {
  Deployment: [{ op: 'add', path: '/spec/template/spec/containers/0/command/-', value: '--port=8443' }],
  Service: [{ op: 'replace', path: '/spec/ports/0/targetPort', value: 8443 }],
};

/** The same where a probe asks the port too. */
export const port8443WithProbe: Change = {
  ...port8443,
  Deployment: [
    ...(port8443.Deployment ?? []),
    { op: 'replace', path: '/spec/template/spec/containers/0/readinessProbe/httpGet/port', value: 8443 },
  ],
};

/** How OpenShift changes the pod on its way in: a user and group of the namespace's own range. */
export const assignedUser: Change = {
  Deployment: ['runAsUser', 'fsGroup'].map((field) => {
    return { op: 'add', path: `/spec/template/spec/securityContext/${field}`, value: 1_000_660_000 };
  }),
};

/** What names the two cures: containerd before 2.0 lets no user but root listen on port 443. */
export const port443IsReserved: Exit = {
  exitCode: 2,
  lastLine:
    '--port=443 is not allowed to this user (EACCES): ports below 1024 are reserved. ' +
    "Use --port=8443 with the Service's targetPort 8443, or allow it by the pod's safe sysctl " +
    'net.ipv4.ip_unprivileged_port_start=0',
};
