// deploy/self-signed/, made from the chart with its defaults: the same objects without the labels that only Helm's
// objects carry.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { render, ROOT } from './helm.ts';

/** In the order of kubectl apply: the fence stands before what it guards, pods before those who call them. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  '10-service-account.yaml': ['serviceaccount.yaml'],
  '20-rbac.yaml': ['rbac.yaml'],
  '30-secret.yaml': ['secret.yaml'],
  '40-service.yaml': ['service.yaml'],
  '50-deployment.yaml': ['deployment.yaml', 'poddisruptionbudget.yaml'],
  '60-fence.yaml': ['fence.yaml'],
  '70-webhook.yaml': ['webhook.yaml'],
};

export const DIRECTORY: string = join(ROOT, 'deploy/self-signed');

/** File name → content. */
export function plainManifests(): Record<string, string> {
  const bySource = new Map<string, string[]>();
  for (const part of render({}).split(/^---\n/m)) {
    const [source, ...lines] = part.split('\n');
    const template = /templates\/(.*)$/.exec(source ?? '')?.[1];
    if (template === undefined) continue;
    const kept = lines.filter((line) => !/^ +(?:helm\.sh\/chart|app\.kubernetes\.io\/managed-by): /.test(line));
    bySource.set(template, [...(bySource.get(template) ?? []), `${kept.join('\n').trim()}\n`]);
  }
  return Object.fromEntries(
    Object.entries(FILES).map(([file, templates]) => [
      file,
      templates.flatMap((template) => bySource.get(template) ?? []).join('---\n'),
    ]),
  );
}

/** What the files say, after they were rewritten where UPDATE_CASES is set. */
export function writtenManifests(wanted: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(wanted).map(([file, text]) => {
      const path = join(DIRECTORY, file);
      if (process.env['UPDATE_CASES'] !== undefined) writeFileSync(path, text);
      return [file, readFileSync(path, 'utf8')];
    }),
  );
}
