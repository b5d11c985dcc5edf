// What the pod itself asks for by its annotations.
import { expirationFrom } from './expiration.ts';
import { matchesGlob } from './glob.ts';
import { parseGoCsvRecord } from './go-syntax.ts';
import type { JsonObject } from './json.ts';
import { podAnnotation } from './pod.ts';
import { quoted } from './warning.ts';

export interface PodOverrides {
  readonly expirationSeconds?: number;
  /** Whether the container gets nothing. */
  readonly isSkipped: (containerName: string) => boolean;
  readonly warnings: readonly string[];
}

/** `containerNames` are those that the pod has. */
export function podOverrides(pod: JsonObject, containerNames: readonly string[], prefix: string): PodOverrides {
  const skipped = containerList(pod, `${prefix}/skip-containers`, containerNames);
  const included = containerList(pod, `${prefix}/include-containers`, containerNames);
  const text = podAnnotation(pod, `${prefix}/token-expiration`);
  const expiration = text === undefined ? {} : expirationFrom(text, 'the pod');
  return {
    ...(expiration.seconds === undefined ? {} : { expirationSeconds: expiration.seconds }),
    isSkipped: (name) =>
      matches(skipped.patterns, name) || (included.patterns.length > 0 && !matches(included.patterns, name)),
    warnings: [
      ...(expiration.warning === undefined ? [] : [expiration.warning]),
      ...skipped.warnings,
      ...included.warnings,
    ],
  };
}

function matches(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => matchesGlob(pattern, name));
}

interface ContainerList {
  /** Names, in which `*` stands for any characters. */
  readonly patterns: readonly string[];
  readonly warnings: readonly string[];
}

/** One CSV record of names. One that cannot be read names nobody, as amazon-eks-pod-identity-webhook has it. */
function containerList(pod: JsonObject, key: string, containerNames: readonly string[]): ContainerList {
  const text = podAnnotation(pod, key) ?? '';
  const annotation = key.slice(key.indexOf('/') + 1);
  const record = text === '' ? [] : parseGoCsvRecord(text);
  if (record === undefined) {
    return { patterns: [], warnings: [`ignored ${annotation} ${quoted(text)}: not a comma-separated list`] };
  }
  const patterns = record.map((name) => name.trim()).filter((name) => name !== '');
  const warnings = patterns
    .filter((pattern) => !containerNames.some((name) => matchesGlob(pattern, name)))
    .map((pattern) => `${annotation} names ${quoted(pattern)}, which the pod does not have`);
  return { patterns, warnings };
}
