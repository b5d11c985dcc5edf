// A release is one version of everything, or none.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { version } from '../../src/version.ts';
import { problemsOf, sectionsOf, versionsIn } from './versions.ts';

const ROOT = join(import.meta.dirname, '../..');
const FILES = [
  'package.json',
  'package-lock.json',
  'src/version.ts',
  'charts/pod-identity-webhook/Chart.yaml',
  'deploy/self-signed/50-deployment.yaml',
  'CHANGELOG.md',
];

let copy: string;

beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), 'pod-identity-webhook-versions-'));
  for (const file of FILES) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(ROOT, file), join(copy, file));
  }
  edit('CHANGELOG.md', /^## \S+ \(.*\)$/m, `## ${version} (2026-12-01)`);
});

afterEach(() => rmSync(copy, { recursive: true }));

function edit(file: string, from: string | RegExp, to: string): void {
  const path = join(copy, file);
  const before = readFileSync(path, 'utf8');
  const after = before.replace(from, to);
  if (from instanceof RegExp ? !from.test(before) : after === before) throw new Error(`${file}: nothing like ${from}`);
  writeFileSync(path, after);
}

describe('the version', () => {
  it('is the same in program, lock file, image, chart, plain manifests and changelog', () => {
    expect(versionsIn(ROOT)).toEqual({
      'package.json': version,
      'package-lock.json': version,
      'src/version.ts': version,
      'Chart.yaml version': version,
      'Chart.yaml appVersion': version,
      'deploy/self-signed': version,
      'CHANGELOG.md': version,
    });
  });

  it('is what the tag says, with a v before it', () => {
    expect(problemsOf(`v${version}`, copy)).toEqual([]);
    expect(problemsOf(version, copy)).toEqual([`the tag is "${version}"; want a version as in v1.2.3 or v1.2.3-rc.1`]);
    expect(problemsOf(`v${version}+build`, copy)).toEqual([
      `the tag is "v${version}+build"; want a version as in v1.2.3 or v1.2.3-rc.1`,
    ]);
  });

  it('differs from another tag in every file, each by its name', () => {
    expect(problemsOf('v99.0.0', copy)).toEqual(
      Object.keys(versionsIn(ROOT)).map((file) => `${file} says ${version}; the tag v99.0.0 wants 99.0.0`),
    );
  });

  it.each<[file: string, what: string, from: string | RegExp, to: string, says: string]>([
    ['package.json', 'package.json', /"version": "[^"]*"/, '"version": "9.9.9"', '9.9.9'],
    ['package-lock.json', 'package-lock.json', /"version": "[^"]*"/, '"version": "9.9.9"', '9.9.9'],
    ['src/version.ts', 'src/version.ts', /'\d[^']*' : BAKED/, "'9.9.9' : BAKED", '9.9.9'],
    ['charts/pod-identity-webhook/Chart.yaml', 'Chart.yaml version', /^version: .*$/m, 'version: 9.9.9', '9.9.9'],
    ['charts/pod-identity-webhook/Chart.yaml', 'Chart.yaml appVersion', /^appVersion: .*$/m, 'other: 1', 'nothing'],
    ['deploy/self-signed/50-deployment.yaml', 'deploy/self-signed', /(image: .*):\S+$/m, '$1:9.9.9', '9.9.9'],
  ])('is missed in %s', (file, what, from, to, says) => {
    edit(file, from, to);
    expect(problemsOf(`v${version}`, copy)).toEqual([`${what} says ${says}; the tag v${version} wants ${version}`]);
  });

  it('is not released before the changelog has its day', () => {
    edit('CHANGELOG.md', /^## \S+ \(.*\)$/m, `## ${version} (not released yet)`);
    expect(problemsOf(`v${version}`, copy)).toEqual([
      `CHANGELOG.md: ${version} has "not released yet" for its date; want the day of the release, as in 2026-01-31`,
    ]);
  });
});

describe('the changelog', () => {
  it('is read by sections, whose text becomes the notes of the release', () => {
    const changelog =
      '# Changelog\n\nHow.\n\n## 1.1.0 (2026-02-01)\n\n**Do**\n\n- this\n\n## 1.0.0 (2026-01-01)\n\nFirst.\n';
    expect(sectionsOf(changelog)).toEqual([
      { version: '1.1.0', date: '2026-02-01', notes: '**Do**\n\n- this' },
      { version: '1.0.0', date: '2026-01-01', notes: 'First.' },
    ]);
  });
});
