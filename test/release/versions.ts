// One version for program, image, chart and plain manifests. A release begins with this, and ends with the notes that it
// prints: what CHANGELOG.md says of that version.
//
//   node test/release/versions.ts v1.2.3 [--notes=FILE]
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { ownString } from '../../src/admission/json.ts';

// Semantic versions without build metadata, which no OCI tag can hold.
const TAG = /^v(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)$/;
const HEADING = /^## (\S+)(?: \((.*)\))?$/gm;

/** What each file that names the version says; `undefined` where it is not found. */
export function versionsIn(root: string): Readonly<Record<string, string | undefined>> {
  const text = (path: string): string => readFileSync(join(root, path), 'utf8');
  const chart: unknown = parse(text('charts/pod-identity-webhook/Chart.yaml'));
  const [newest] = sectionsOf(text('CHANGELOG.md'));
  return {
    'package.json': ownString(JSON.parse(text('package.json')), 'version'),
    'package-lock.json': ownString(JSON.parse(text('package-lock.json')), 'version'),
    'src/version.ts': /'(\d[^']*)' : BAKED_VERSION/.exec(text('src/version.ts'))?.[1],
    'Chart.yaml version': ownString(chart, 'version'),
    'Chart.yaml appVersion': ownString(chart, 'appVersion'),
    'deploy/self-signed': /image: .*:([^:\s]+)$/m.exec(text('deploy/self-signed/50-deployment.yaml'))?.[1],
    'CHANGELOG.md': newest?.version,
  };
}

/** What keeps `tag` from being a release of what is checked out; empty where nothing does. */
export function problemsOf(tag: string, root: string): readonly string[] {
  const wanted = TAG.exec(tag)?.[1];
  if (wanted === undefined) return [`the tag is "${tag}"; want a version as in v1.2.3 or v1.2.3-rc.1`];
  const differing = Object.entries(versionsIn(root)).filter(([, version]) => version !== wanted);
  const section = sectionsOf(readFileSync(join(root, 'CHANGELOG.md'), 'utf8')).find(
    ({ version }) => version === wanted,
  );
  return [
    ...differing.map(([file, version]) => `${file} says ${version ?? 'nothing'}; the tag ${tag} wants ${wanted}`),
    ...(section === undefined || /^\d{4}-\d\d-\d\d$/.test(section.date)
      ? []
      : [`CHANGELOG.md: ${wanted} has "${section.date}" for its date; want the day of the release, as in 2026-01-31`]),
  ];
}

export interface Section {
  readonly version: string;
  /** What stands in brackets behind the version: a date, or that there is none yet. */
  readonly date: string;
  readonly notes: string;
}

/** The sections of the changelog, as they stand: newest first. */
export function sectionsOf(changelog: string): readonly Section[] {
  const headings = [...changelog.matchAll(HEADING)];
  return headings.map((heading, index) => ({
    version: heading[1] ?? '',
    date: heading[2] ?? '',
    notes: changelog.slice(heading.index + heading[0].length, headings[index + 1]?.index).trim(),
  }));
}

function main(args: readonly string[]): number {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { notes: { type: 'string' } },
    allowPositionals: true,
  });
  const [tag = ''] = positionals;
  const root = join(import.meta.dirname, '../..');
  const problems = problemsOf(tag, root);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) return 1;
  const section = sectionsOf(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'))[0];
  if (values.notes !== undefined) writeFileSync(values.notes, `${section?.notes ?? ''}\n`);
  console.log(`${tag} is the version of everything`);
  return 0;
}

if (process.argv[1] === import.meta.filename) process.exitCode = main(process.argv.slice(2));
