// What each command of the table runs. Its code is loaded when it is called: the server must not carry the commands.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CommandCall } from './commands/io.ts';
import type { CommandName } from './flags/flag.ts';

/** Resolves with the exit code. Rejects with ConfigError where it is used wrongly. */
export type CommandRunner = (call: CommandCall) => Promise<number>;

export const RUNNERS: Readonly<Record<Exclude<CommandName, 'serve'>, CommandRunner>> = {
  inject: async ({ flags, io }) => {
    const [{ injectOptionsFrom }, { runInject }] = await Promise.all([
      import('./inject-from-flags.ts'),
      import('./commands/inject.ts'),
    ]);
    return runInject(await injectOptionsFrom(flags, io.readFile), io);
  },
  demo: async ({ io }) => {
    const [{ startStandalone }, { runDemo }] = await Promise.all([
      import('./app-standalone.ts'),
      import('./commands/demo.ts'),
    ]);
    return runDemo({ examplesDirectory: examplesDirectory(), start: startStandalone }, io);
  },
  'check-install': async (call) => (await import('./commands/check-install.ts')).runCheckInstall(call),
  'diagnose manifests': async ({ flags, io }) => {
    const [{ injectOptionsFrom }, { runDiagnoseManifests }] = await Promise.all([
      import('./inject-from-flags.ts'),
      import('./commands/diagnose-manifests.ts'),
    ]);
    return runDiagnoseManifests({ ...(await injectOptionsFrom(flags, io.readFile)), now: Date.now }, io);
  },
  'diagnose error': async ({ flags, operands, io }) => {
    const { runDiagnoseError } = await import('./commands/diagnose-error.ts');
    return runDiagnoseError({ words: operands, output: flags.text('output') === 'json' ? 'json' : 'text' }, io);
  },
  'diagnose pod': async (call) => (await import('./diagnose-from-flags.ts')).diagnoseCluster(call, 'pod'),
  'diagnose serviceaccount': async (call) =>
    (await import('./diagnose-from-flags.ts')).diagnoseCluster(call, 'serviceaccount'),
  'oidc publish': async (call) => (await import('./commands/oidc-publish.ts')).runOidcPublish(call),
  'oidc verify': async (call) => (await import('./commands/oidc-verify.ts')).runOidcVerify(call),
  'iam provider': async (call) => (await import('./commands/iam-provider.ts')).runIamProvider(call),
  'trust-policy generate': async (call) => {
    const [{ clusterClientFrom }, { runTrustPolicyGenerate }] = await Promise.all([
      import('./commands/cluster-client.ts'),
      import('./commands/trust-policy-generate.ts'),
    ]);
    return runTrustPolicyGenerate(call, clusterClientFrom);
  },
  'trust-policy check': async (call) =>
    (await import('./commands/trust-policy-check.ts')).runTrustPolicyCheck(call, Date.now() / 1000),
  'token inspect': async (call) => (await import('./commands/token.ts')).runTokenInspect(call, Date.now() / 1000),
  audit: async ({ flags, io }) => {
    const [{ auditOptionsFrom }, { runAudit }] = await Promise.all([
      import('./audit-from-flags.ts'),
      import('./commands/audit.ts'),
    ]);
    return runAudit(await auditOptionsFrom(flags, io.readFile), io);
  },
};

/** The examples lie beside the program, in the source tree, the build and the image. */
function examplesDirectory(): string {
  const candidates = ['../examples', './examples', '../../examples'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  return candidates.find((path) => existsSync(path)) ?? 'examples';
}
