// What the Dockerfile says, without running it; image.test.ts runs it.
import { describe, expect, it } from '@jest/globals';
import { readFileSync, statSync } from 'node:fs';
import { ownString } from '../../src/admission/json.ts';
import { version } from '../../src/version.ts';
import { argumentsOf, environmentOf, parseDockerfile } from './dockerfile.ts';

describe('the version', () => {
  it('is the one of package.json where none is baked in', () => {
    const manifest: unknown = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(version).toBe(ownString(manifest, 'version'));
  });
});

describe('the Dockerfile', () => {
  const runtime = parseDockerfile(readFileSync('Dockerfile', 'utf8')).at(-1);

  it('ends in distroless Node 24, as a user that no host has, and without a shell form', () => {
    expect({
      base: runtime?.base,
      user: runtime?.instructions.filter(({ keyword }) => keyword === 'USER').map(({ text: user }) => user),
      entrypoint: runtime && argumentsOf(runtime, 'ENTRYPOINT'),
      shell: runtime?.instructions.filter(({ keyword }) => keyword === 'RUN'),
    }).toEqual({
      base: 'gcr.io/distroless/nodejs24-debian13:nonroot',
      user: ['65532:65532'],
      entrypoint: [
        '/nodejs/bin/node',
        '--max-semi-space-size=4',
        '--heap-growing-percent=10',
        '--no-maglev',
        '--disable-proto=delete',
        '/app/main.js',
      ],
      shell: [],
    });
  });

  it('copies commands that Git keeps executable for everybody', () => {
    expect(statSync('deploy/image/webhook').mode & 0o777).toBe(0o755);
  });
});

describe('parseDockerfile', () => {
  it('reads stages, continued lines and build arguments of the head', () => {
    const text = [
      '# a comment',
      'ARG BASE=node:24',
      'FROM --platform=$BUILDPLATFORM ${BASE} AS build',
      'COPY a b ./',
      'FROM scratch',
      'LABEL a=1 \\',
      '      b=2',
      'ENV A=x',
      'CMD ["/a", "b c"]',
    ].join('\n');
    const stages = parseDockerfile(`${text}\n`);
    expect(stages).toEqual([
      { name: 'build', base: 'node:24', instructions: [{ keyword: 'COPY', text: 'a b ./' }] },
      {
        name: '',
        base: 'scratch',
        instructions: [
          { keyword: 'LABEL', text: 'a=1 b=2' },
          { keyword: 'ENV', text: 'A=x' },
          { keyword: 'CMD', text: '["/a", "b c"]' },
        ],
      },
    ]);
    const [, last] = stages;
    expect(last && [argumentsOf(last, 'CMD'), argumentsOf(last, 'ENTRYPOINT'), environmentOf(last)]).toEqual([
      ['/a', 'b c'],
      [],
      { A: 'x' },
    ]);
  });
});
