// The output that docs/trust-policy.md and docs/token.md show is the real one. UPDATE_CASES=1 writes what came out.
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parseCommandLine } from '../../src/cli.ts';
import { runTokenInspect } from '../../src/commands/token.ts';
import { runTrustPolicyCheck } from '../../src/commands/trust-policy-check.ts';
import { runTrustPolicyGenerate } from '../../src/commands/trust-policy-generate.ts';
import { ConfigError } from '../../src/config-error.ts';
import { createTestIo } from '../support/command-io.ts';

const NOW = Date.UTC(2026, 10, 22, 16) / 1000;
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function token(audience: string, expiresAt: number): string {
  const header = { alg: 'RS256', kid: 'JHJehTTTZlsspKHT-GaJxK7Kd1NQgZJu3fyK6K_QDYU' };
  const payload = {
    iss: 'https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF',
    sub: 'system:serviceaccount:prod:api',
    aud: [audience],
    iat: NOW - 7200,
    exp: expiresAt,
    'kubernetes.io': { namespace: 'prod', pod: { name: 'api-0' }, node: { name: 'ip-10-0-0-1' } },
  };
  return `${part(header)}.${part(payload)}.c2ln`;
}

/** stderr and stdout as they would stand on a terminal. */
async function shown(words: readonly string[], files: Readonly<Record<string, string>>): Promise<string> {
  const commandLine = parseCommandLine(words, {});
  if (commandLine.kind !== 'run') throw new Error('want a run');
  const io = createTestIo(files);
  const call = { ...commandLine, io };
  const noCluster = (): never => {
    throw new Error('want no cluster');
  };
  try {
    if (commandLine.command === 'token inspect') await runTokenInspect(call, NOW);
    else if (commandLine.command === 'trust-policy check') await runTrustPolicyCheck(call, NOW);
    else await runTrustPolicyGenerate(call, noCluster);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return `${error.problems.join('\n')}\n`;
  }
  const { out, err } = io.written();
  return err + out;
}

async function rewritten(page: string): Promise<{ text: string; commands: number }> {
  const names = [...page.matchAll(/`([a-z]+\.json)`/g)].map(([, name]) => name ?? '');
  const contents = [...page.matchAll(/^```json\n(.*?)^```/gms)].map(([, content]) => content ?? '');
  const files = {
    ...Object.fromEntries(contents.map((content, index) => [names[index] ?? '', content])),
    token: token('sts.amazonaws.com', NOW + 79_200),
    'old-token': token('https://kubernetes.default.svc', NOW - 3600),
  };
  let text = page;
  const blocks = [...page.matchAll(/^( *)```console\n *\$ pod-identity-webhook ([^\n]*)\n(.*?)^ *```\n/gms)];
  for (const [block, indent = '', command = ''] of blocks) {
    const out = await shown(
      command.split(' ').map((word) => word.replaceAll("'", '')),
      files,
    );
    const lines = out.trimEnd().split('\n');
    const body = [`$ pod-identity-webhook ${command}`, ...lines].map((line) => (line === '' ? '' : indent + line));
    text = text.replace(block, () => `${indent}\`\`\`console\n${body.join('\n')}\n${indent}\`\`\`\n`);
  }
  return { text, commands: blocks.length };
}

describe('the page', () => {
  it.each([
    ['docs/trust-policy.md', 4],
    ['docs/token.md', 2],
  ])('%s shows what the commands print', async (file, commands) => {
    const page = readFileSync(file, 'utf8');
    const got = await rewritten(page);
    if (process.env['UPDATE_CASES'] !== undefined) writeFileSync(file, got.text);
    else expect(page).toBe(got.text);
    expect(got.commands).toBe(commands);
  });
});
