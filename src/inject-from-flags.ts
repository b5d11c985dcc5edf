// What `inject` is told by its flags: the server's own, and what to print.
import { messageOf } from './admission/thrown.ts';
import type { FlagValues } from './flags/given.ts';
import type { InjectOptions } from './commands/inject.ts';
import { ConfigError } from './config-error.ts';
import { accountsInFile } from './identity/container-credentials.ts';
import { expirationWarnings, settingsFrom, surroundingsFrom } from './settings-from-flags.ts';

/** Rejects with ConfigError `usage` with every problem. */
export async function injectOptionsFrom(
  flags: FlagValues,
  readFile: (path: string) => Promise<string>,
): Promise<InjectOptions> {
  const problems: string[] = [];
  const options: InjectOptions = {
    files: flags.all('filename'),
    diff: flags.isOn('diff'),
    explain: flags.isOn('explain'),
    output: flags.text('output') === 'json' ? 'json' : 'text',
    settings: settingsFrom(flags, problems),
    surroundings: surroundingsFrom(flags, problems),
    configMapNamespace: flags.isOn('watch-config-map') ? flags.text('namespace') : undefined,
    containerCredentials: await containerCredentialsIn(
      flags.text('watch-container-credentials-config'),
      readFile,
      problems,
    ),
    namespacePolicy: flags.isOn('namespace-policy'),
    warnings: expirationWarnings(flags),
  };
  const { accountId, partition } = options.surroundings;
  if (options.settings.composeRoleArn && (accountId === undefined || partition === undefined)) {
    problems.push(
      '--compose-role-arn: give --aws-account-id, and --aws-partition or --aws-default-region; inject asks no instance metadata',
    );
  }
  if (problems.length > 0) throw new ConfigError('usage', problems);
  return options;
}

async function containerCredentialsIn(
  file: string | undefined,
  readFile: (path: string) => Promise<string>,
  problems: string[],
): Promise<readonly string[]> {
  if (file === undefined || file === '') return [];
  try {
    return [...accountsInFile(await readFile(file))];
  } catch (error) {
    const want = 'want {"identities":[{"namespace":"…","serviceAccount":"…"}]}';
    problems.push(`--watch-container-credentials-config=${JSON.stringify(file)}: ${messageOf(error)}; ${want}`);
    return [];
  }
}
