// For whom the token is that a container's SDK would send to STS, as far as the stored pod tells.
import { expect, test } from '@jest/globals';
import type { ContainerFacts } from '../../src/diagnosis/facts.ts';
import { webIdentityAudience } from '../../src/diagnosis/token-file.ts';
import { healthy, MOUNT, TOKEN_FILE } from './manifests.ts';
import type { Manifests } from './manifests.ts';

/** `path` is undefined where the variable's value comes from elsewhere. */
function audienceOf(change: (manifests: Manifests) => void, path: string | undefined): string | undefined {
  const manifests = healthy();
  manifests.token.audience = 'amazonaws.com';
  change(manifests);
  const facts: ContainerFacts = {
    name: 'main',
    kind: 'container',
    object: 'Pod prod/web container main',
    container: { ...manifests.main },
    isForeign: false,
    variables: new Map([['AWS_WEB_IDENTITY_TOKEN_FILE', path]]),
    imported: [],
    hasUnknownImports: false,
  };
  return webIdentityAudience({ ...manifests.pod }, facts);
}

test.each<[what: string, change: (manifests: Manifests) => void, expected: string | undefined]>([
  ['of the volume that is mounted there', () => {}, 'amazonaws.com'],
  [
    'of the file that is mounted alone',
    ({ main }) => void (main.volumeMounts = [{ ...MOUNT, mountPath: TOKEN_FILE, subPath: 'token' }]),
    'amazonaws.com',
  ],
  ['that is not said', ({ token }) => void delete token.audience, undefined],
  ['of no mount', ({ main }) => void (main.volumeMounts = []), undefined],
  ['of no volume', ({ pod }) => void (pod.spec.volumes = []), undefined],
])('is that %s', (_, change, expected) => {
  expect(audienceOf(change, TOKEN_FILE)).toBe(expected);
});

test('is not known of a file that comes from elsewhere', () => {
  expect(audienceOf(() => {}, undefined)).toBeUndefined();
});
