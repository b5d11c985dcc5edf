// The house's import rules, by planting what they forbid: a rule that no longer bites is as good as none.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ownList, ownString } from '../../src/admission/json.ts';

const fastJsonPatch = 'CommonJS: import the default.';
const admission = 'admission/ imports itself and aws/ only.';
const aws = 'aws/ imports itself, node:crypto and jose only.';
const diagnosis = 'diagnosis/ imports itself, admission/, aws/, edit-distance.ts and node:crypto only.';
const rooms = 'Rooms of the shell meet in app.ts and commands/ only.';
const observeTypes = 'Rooms of the shell take types of observe/ only.';
const flags = 'flags/ knows no room but admission/ and aws/.';
const commandLine = 'The command line is read without any room of the shell.';
const main = 'main reads the command line and calls; nothing calls main.';
const leaf = 'Every room may import this file, so it imports nothing.';

const refused: readonly (readonly [file: string, line: string, message: string])[] = [
  ['src/admission/a.ts', `import { readFile } from 'node:fs/promises';`, admission],
  ['src/admission/b.ts', `import { createClient } from '../kube/client.ts';`, admission],
  ['src/admission/c.ts', `import type { Client } from '../kube/client.ts';`, admission],
  ['src/admission/d.ts', `import { parse } from 'yaml/util';`, admission],
  ['src/admission/e.ts', `import type { Log } from '../observe/log.ts';`, admission],
  ['src/admission/f.ts', `import { version } from '../version.ts';`, admission],
  ['src/admission/g.ts', `import { KubeConfig } from '@kubernetes/client-node';`, '@kubernetes/client-node'],
  ['src/admission/h.ts', `import jsonpatch from 'fast-json-patch';`, 'fast-json-patch'],
  ['src/admission/i.ts', `export { createClient } from '../kube/client.ts';`, admission],
  ['src/admission/j.ts', `export const loaded = import('../kube/client.ts');`, admission],
  ['src/admission/k.ts', `import { setTimeout } from 'node:timers/promises';`, admission],
  ['src/aws/a.ts', `import express from 'express';`, aws],
  ['src/aws/b.ts', `import { pointer } from '../admission/patch.ts';`, aws],
  ['src/aws/c.ts', `import { readFile } from 'node:fs/promises';`, aws],
  ['src/aws/d.ts', `import { config } from '../config.ts';`, aws],
  ['src/diagnosis/a.ts', `import { createClient } from '../kube/client.ts';`, diagnosis],
  ['src/diagnosis/b.ts', `import { readFile } from 'node:fs/promises';`, diagnosis],
  ['src/diagnosis/c.ts', `import { runInject } from '../commands/inject.ts';`, diagnosis],
  ['src/diagnosis/d.ts', `import { parse } from 'yaml';`, diagnosis],
  ['src/server/a.ts', `import { createClient } from '../kube/client.ts';`, rooms],
  ['src/server/b.ts', `import type { Client } from '../kube/client.ts';`, rooms],
  ['src/server/c.ts', `import { config } from '../config.ts';`, rooms],
  ['src/server/d.ts', `import { flagTable } from '../flags/table.ts';`, rooms],
  ['src/identity/a.ts', `import { createClient } from '../kube/client.ts';`, rooms],
  ['src/identity/b.ts', `import { app } from '../app.ts';`, rooms],
  ['src/kube/a.ts', `import { createMetrics } from '../observe/metrics.ts';`, observeTypes],
  ['src/kube/b.ts', `import { applyPatch } from 'fast-json-patch';`, fastJsonPatch],
  ['src/kube/deeper/c.ts', `import { createServer } from '../../server/https.ts';`, rooms],
  ['src/certificates/a.ts', `import { serve } from '../commands/serve.ts';`, rooms],
  ['src/certificates/b.ts', `import { createMetrics } from '../observe/metrics.ts';`, observeTypes],
  ['src/observe/a.ts', `import { createServer } from '../server/https.ts';`, rooms],
  ['src/observe/b.ts', `import { cli } from '../cli.ts';`, rooms],
  ['src/flags/a.ts', `import { createServer } from '../server/https.ts';`, flags],
  ['src/flags/b.ts', `import { cli } from '../cli.ts';`, flags],
  ['src/cli.ts', `import { createServer } from './server/https.ts';`, commandLine],
  ['src/config.ts', `import { createLog } from './observe/log.ts';`, commandLine],
  ['src/commands/a.ts', `import { run } from '../main.ts';`, main],
  ['src/commands/b.ts', `import { cli } from '../cli.ts';`, main],
  ['src/commands/c.ts', `import { applyPatch } from 'fast-json-patch';`, fastJsonPatch],
  ['src/app.ts', `import { run } from './main.ts';`, main],
  ['src/app-standalone.ts', `import { run } from './main.ts';`, main],
  ['src/settings-from-flags.ts', `import { createServer } from './server/https.ts';`, commandLine],
  ['src/unknown-words.ts', `import { distance } from './diagnosis/near-miss.ts';`, commandLine],
  ['src/edit-distance.ts', `import { shellWord } from './aws/shell-word.ts';`, leaf],
  ['src/version.ts', `import { createServer } from './server/https.ts';`, leaf],
  ['src/main.ts', `import { compare } from 'fast-json-patch';`, fastJsonPatch],
  ['test/a.test.ts', `import { applyPatch } from 'fast-json-patch';`, fastJsonPatch],
];

const allowed: readonly (readonly [file: string, line: string])[] = [
  ['src/admission/right-a.ts', `import { pointer } from './patch.ts';`],
  ['src/admission/right-b.ts', `import { roleArn } from '../aws/arn.ts';`],
  ['src/admission/right-c.ts', `import type { V1Pod } from '@kubernetes/client-node';`],
  ['src/admission/right-d.ts', `import type { AddOperation } from 'fast-json-patch';`],
  ['src/aws/right-a.ts', `import { createHash } from 'node:crypto';`],
  ['src/aws/right-b.ts', `import { jwtVerify } from 'jose';`],
  ['src/aws/right-c.ts', `import { partitions } from './partitions.ts';`],
  ['src/diagnosis/right-a.ts', `import { mutate } from '../admission/mutate.ts';`],
  ['src/diagnosis/right-b.ts', `import { parseRoleArn } from '../aws/arn.ts';`],
  ['src/diagnosis/right-c.ts', `import { X509Certificate } from 'node:crypto';`],
  ['src/diagnosis/right-d.ts', `import { distance } from '../edit-distance.ts';`],
  ['src/server/right-a.ts', `import { mutate } from '../admission/mutate.ts';`],
  ['src/server/right-b.ts', `import type { Log } from '../observe/log.ts';`],
  ['src/server/right-c.ts', `import { version } from '../version.ts';`],
  ['src/server/right-d.ts', `import express from 'express';`],
  ['src/server/right-e.ts', `import { createServer } from 'node:https';`],
  ['src/server/right-f.ts', `import { routes } from './routes.ts';`],
  ['src/identity/right-a.ts', `import type { Recorder } from '../observe/recorder.ts';`],
  ['src/identity/right-b.ts', `import { roleArn } from '../aws/arn.ts';`],
  ['src/kube/right-a.ts', `import { KubeConfig } from '@kubernetes/client-node';`],
  ['src/kube/right-b.ts', `import { ConfigError } from '../config-error.ts';`],
  ['src/kube/right-c.ts', `import type { Log } from '../observe/log.ts';`],
  ['src/certificates/right-a.ts', `import type { Log } from '../observe/log.ts';`],
  ['src/observe/right-a.ts', `import type { Decision } from '../admission/decision.ts';`],
  ['src/observe/right-b.ts', `import { Registry } from 'prom-client';`],
  ['src/observe/right-c.ts', `import { version } from '../version.ts';`],
  ['src/flags/right-a.ts', `import { duration } from '../admission/go-syntax.ts';`],
  ['src/config.ts', `import { minVersionFrom } from './server/tls-options.ts';`],
  ['src/cli.ts', `import type { LogLevel } from './observe/log.ts';`],
  ['src/unknown-words.ts', `import { distance } from './edit-distance.ts';`],
  ['src/commands/right-a.ts', `import { createServer } from '../server/https.ts';`],
  ['src/commands/right-b.ts', `import { createApp } from '../app.ts';`],
  ['src/commands/right-c.ts', `import jsonpatch from 'fast-json-patch';`],
  ['src/app.ts', `import { createReflector } from './kube/reflector.ts';`],
  ['src/app-standalone.ts', `import { parseCommandLine } from './cli.ts';`],
  ['src/app-accounts.ts', `import { createManifests } from './kube/manifests.ts';`],
  ['src/main.ts', `import { createApp } from './app.ts';`],
];

describe('lint', () => {
  let directory: string;
  let complaints: readonly string[];

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'layering-'));
    for (const [file, line] of refused) plant(`refused/${file}`, line);
    for (const [file, line] of allowed) plant(`allowed/${file}`, line);
    for (const lines of [200, 201])
      plant(`length/src/admission/of-${lines}.ts`, `export const a = [${'\n0,'.repeat(lines - 2)}\n];`);
    plant('cycle/src/kube/a.ts', `import { b } from './b.ts';\nexport const a = () => b;`);
    plant('cycle/src/kube/b.ts', `import { a } from './a.ts';\nexport const b = () => a;`);
    complaints = ['refused', 'allowed', 'length', 'cycle'].flatMap((house) => lint(house));
  }, 60_000);

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it.each(refused)('refuses in %s: %s', (file, _line, message) => {
    expect(complaintsAbout(`refused/${file}`)).toEqual([expect.stringContaining(message)]);
  });

  it.each(allowed)('allows in %s: %s', (file) => {
    expect(complaintsAbout(`allowed/${file}`)).toEqual([]);
  });

  it('refuses a source file of more than 200 lines', () => {
    expect(complaintsAbout('length/')).toEqual([expect.stringMatching(/of-201\.ts \| .*too many lines \(201\)/)]);
  });

  it('refuses two files that import each other', () => {
    expect(complaintsAbout('cycle/')).toEqual([
      expect.stringMatching(/a\.ts \| Dependency cycle/),
      expect.stringMatching(/b\.ts \| Dependency cycle/),
    ]);
  });

  function complaintsAbout(path: string): readonly string[] {
    return complaints.filter((complaint) => complaint.startsWith(path));
  }

  function plant(path: string, source: string): void {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    // What is imported is used, so that nothing but the import can be complained of.
    const name = /^import (?:type )?\{? ?(\w+)/.exec(source)?.[1];
    const use = source.startsWith('import type') ? `export type Used = ${name};` : `export const used = ${name};`;
    writeFileSync(file, name === undefined || source.includes('\n') ? `${source}\n` : `${source}\n${use}\n`);
  }

  function lint(house: string): readonly string[] {
    // The globs of its overrides count from the configuration's own directory.
    copyFileSync('.oxlintrc.json', join(directory, house, '.oxlintrc.json'));
    const oxlint = spawnSync(
      process.execPath,
      [join(process.cwd(), 'node_modules/oxlint/bin/oxlint'), '--format', 'json', '.'],
      { cwd: join(directory, house), encoding: 'utf8' },
    );
    return ownList(JSON.parse(oxlint.stdout), 'diagnostics')
      .map((found) => {
        const texts = ['filename', 'message', 'help'].map((key) => ownString(found, key) ?? '');
        return `${house}/${texts.join(' | ')}`;
      })
      .toSorted();
  }
});
