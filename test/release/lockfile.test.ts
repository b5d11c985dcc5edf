// What package-lock.json may pin: from the registry, with hashes, above what is known to be bad.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { isObject, ownField, ownString } from '../../src/admission/json.ts';

const root = join(import.meta.dirname, '../..');
const lock: unknown = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
const packages = Object.entries(objectOf(ownField(lock, 'packages'))).filter(([path]) => path !== '');

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}

/** Below these: CVE-2026-12590 (a limit that does not parse is none) and CVE-2021-4279 (prototype pollution). */
const FLOORS: Readonly<Record<string, string>> = { 'body-parser': '2.3.0', 'fast-json-patch': '3.1.1' };

describe('package-lock.json', () => {
  it('has the hash of every package, and none from git, a file or an address', () => {
    const unhashed = packages.filter(([, entry]) => ownString(entry, 'integrity')?.startsWith('sha512-') !== true);
    const elsewhere = packages.filter(([, entry]) => ownField(entry, 'resolved') ?? ownField(entry, 'link'));
    expect({ some: packages.length > 0, unhashed, elsewhere }).toEqual({ some: true, unhashed: [], elsewhere: [] });
  });

  it.each(Object.entries(FLOORS))('has no %s below %s', (name, floor) => {
    const versions = packages
      .filter(([path]) => path.endsWith(`node_modules/${name}`))
      .map(([, entry]) => ownString(entry, 'version') ?? '');
    expect(versions.length).toBeGreaterThan(0);
    expect(versions.filter((version) => version.localeCompare(floor, 'en', { numeric: true }) < 0)).toEqual([]);
  });

  it('pins dependencies that the program ships with to one version each', () => {
    const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const ranges = Object.entries(objectOf(ownField(manifest, 'dependencies')));
    expect(ranges.filter(([, range]) => !/^\d+\.\d+\.\d+$/.test(String(range)))).toEqual([]);
  });
});

describe('.npmrc', () => {
  it('lets no package run a script when it is installed', () => {
    expect(readFileSync(join(root, '.npmrc'), 'utf8').split('\n')).toContain('ignore-scripts=true');
  });
});
