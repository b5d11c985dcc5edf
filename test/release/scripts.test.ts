// The scripts of the release workflow, run as GitHub runs them, with stand-ins for what would reach a registry.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { isObject, ownField, ownList, ownString } from '../../src/admission/json.ts';

const ROOT = join(import.meta.dirname, '../..');
const WORKFLOW: unknown = parse(readFileSync(join(ROOT, '.github/workflows/release.yaml'), 'utf8'));
const DIGEST = `sha256:${'1'.repeat(64)}`;
const OTHER = `sha256:${'2'.repeat(64)}`;
const IMAGE = 'ghcr.io/pod-identity-webhook/pod-identity-webhook';
const CHART = 'ghcr.io/pod-identity-webhook/charts/pod-identity-webhook';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pod-identity-webhook-release-'));
  mkdirSync(join(directory, 'bin'));
});

afterEach(() => rmSync(directory, { recursive: true }));

interface Outcome {
  readonly status: number | null;
  readonly stderr: string;
  /** The calls of the stand-ins. */
  readonly calls: readonly string[];
  readonly output: string;
}

interface Setting {
  /** Stand-ins: a line of bash that sees its arguments in "$*". */
  readonly programs: Readonly<Record<string, string>>;
  /** Where the checkout is; this one unless given. */
  readonly checkout?: string;
  /** More environment. */
  readonly names?: Readonly<Record<string, string>>;
}

function runStep(job: string, step: string, { programs, names = {}, checkout = ROOT }: Setting): Outcome {
  for (const [program, body] of Object.entries(programs)) {
    const file = join(directory, 'bin', program);
    writeFileSync(file, `#!/usr/bin/env bash\nprintf '%s\\n' "${program} $*" >> "$CALLS"\n${body}\n`);
    chmodSync(file, 0o755);
  }
  const calls = join(directory, 'calls');
  const output = join(directory, 'output');
  const env = {
    ...namesOfWorkflow(),
    PATH: `${join(directory, 'bin')}:${process.env['PATH'] ?? ''}`,
    CALLS: calls,
    RUNNER_TEMP: directory,
    GITHUB_OUTPUT: output,
    GITHUB_REF_NAME: 'v0.1.0',
    GITHUB_REPOSITORY: 'pod-identity-webhook/pod-identity-webhook',
    GITHUB_ACTOR: 'somebody',
    GITHUB_SHA: 'a'.repeat(40),
    HELM: join(directory, 'bin/helm'),
    VERSION: '0.1.0',
    DIGEST,
    CHART_DIGEST: OTHER,
    CHART_BUNDLE: join(directory, 'bundle.json'),
    TOKEN: 'token',
    ...names,
  };
  // As GitHub does for `shell: bash`.
  const args = ['--noprofile', '--norc', '-eo', 'pipefail', '-c', scriptOf(job, step)];
  const { status, stderr } = spawnSync('bash', args, { cwd: checkout, env, encoding: 'utf8' });
  const read = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
  return { status, stderr, calls: read(calls).split('\n').filter(Boolean), output: read(output) };
}

function scriptOf(job: string, name: string): string {
  const steps = ownList(ownField(ownField(WORKFLOW, 'jobs'), job), 'steps');
  const script = ownString(
    steps.find((step) => ownString(step, 'name') === name),
    'run',
  );
  if (script === undefined) throw new Error(`The job ${job} has no step "${name}" with a script.`);
  return script;
}

function namesOfWorkflow(): Record<string, string> {
  const env = ownField(WORKFLOW, 'env');
  return Object.fromEntries(Object.entries(isObject(env) ? env : {}).map(([key, value]) => [key, String(value)]));
}

it('the scripts are run by the bash that these tests run', () => {
  expect(ownField(ownField(ownField(WORKFLOW, 'defaults'), 'run'), 'shell')).toBe('bash');
});

describe('the base images', () => {
  const step = 'pin the base images, and check that Google signed the one that ships';

  it('are those of the Dockerfile, with the digests of this day', () => {
    const { status, calls, output } = runStep('image', step, {
      programs: { docker: `echo ${DIGEST}`, cosign: 'true' },
    });
    const [build = '', runtime = ''] = output.trimEnd().split('\n');
    expect({ status, build, runtime }).toEqual({
      status: 0,
      build: `build=docker.io/library/node:24-trixie-slim@${DIGEST}`,
      runtime: `runtime=gcr.io/distroless/nodejs24-debian13:nonroot@${DIGEST}`,
    });
    expect(calls.at(-1)).toBe(
      `cosign verify ${runtime.slice('runtime='.length)} --certificate-oidc-issuer=https://accounts.google.com ` +
        '--certificate-identity=keyless@distroless.iam.gserviceaccount.com',
    );
  });

  it.each([
    ['has no digest', { docker: 'echo latest', cosign: 'true' }],
    ['cannot be found', { docker: 'exit 1', cosign: 'true' }],
    ['was not signed by Google', { docker: `echo ${DIGEST}`, cosign: 'exit 1' }],
  ])('end the release where one %s', (_what, programs) => {
    const { status, output } = runStep('image', step, { programs });
    expect({ status, output }).toEqual({ status: 1, output: '' });
  });
});

describe('a version', () => {
  it.each([
    ['is new', 'echo "ERROR: v: not found" >&2; exit 1', 0],
    ['is new where no package is there yet', 'echo "denied: denied" >&2; exit 1', 0],
    ['is not released twice', `echo ${DIGEST}`, 1],
    ['is not released where the registry does not answer', 'echo "503 Service Unavailable" >&2; exit 1', 1],
    [
      'is not released where only its chart is there',
      `[[ $* != *charts* ]] || exit 0; echo "not found" >&2; exit 1`,
      1,
    ],
  ])('%s', (_what, docker, wanted) => {
    expect(runStep('publish', 'the version is new', { programs: { docker } }).status).toBe(wanted);
  });

  it('is the digest that was scanned, signed and run', () => {
    const named = (digest: string): Outcome =>
      runStep('publish', 'name the image', { programs: { docker: `[[ $* == *create* ]] || echo ${digest}` } });
    expect(named(DIGEST).status).toBe(0);
    expect(named(DIGEST).calls[0]).toBe(`docker buildx imagetools create --tag=${IMAGE}:0.1.0 ${IMAGE}@${DIGEST}`);
    expect(named(OTHER).status).toBe(1);
  });
});

describe('the chart', () => {
  const push = (said: string): Outcome =>
    runStep('publish', 'push the chart', { programs: { helm: `[[ $1 != push ]] || printf '${said}' >&2` } });

  it('is known by the digest that helm tells', () => {
    const { status, output, calls } = push(`Pushed: ${CHART}:0.1.0\\nDigest: ${OTHER}\\n`);
    expect({ status, output, pushed: calls.at(-1) }).toEqual({
      status: 0,
      output: `digest=${OTHER}\n`,
      pushed: `helm push ${directory}/pod-identity-webhook-0.1.0.tgz oci://ghcr.io/pod-identity-webhook/charts`,
    });
  });

  it('ends the release where helm tells none', () => {
    expect(push('Pushed\\n').status).toBe(1);
  });
});

describe('the image', () => {
  it.each([
    ['says its version and commit', `echo "0.1.0 ${'a'.repeat(40)}"`, 0],
    ['is of another version', `echo "0.1.1 ${'a'.repeat(40)}"`, 1],
    ['is of another commit', 'echo "0.1.0 unknown"', 1],
    ['does not start', 'exit 125', 125],
  ])('%s', (_what, docker, wanted) => {
    const step = 'each command of the image says this version and this commit';
    expect(runStep('run', step, { programs: { docker } }).status).toBe(wanted);
  });

  it('is scanned for both platforms, with every VEX statement that there is', () => {
    const step = 'scan both platforms, and the npm packages that the scanner cannot see inside of the bundle';
    mkdirSync(join(directory, '.vex'));
    writeFileSync(join(directory, '.vex/not-reached.openvex.json'), '{}');
    const { status, calls } = runStep('image', step, { programs: { grype: 'true' }, checkout: directory });
    const bounds = '--only-fixed --fail-on=high --vex=.vex/not-reached.openvex.json';
    expect({ status, calls }).toEqual({
      status: 0,
      calls: [
        `grype registry:${IMAGE}@${DIGEST} --platform=linux/amd64 ${bounds}`,
        `grype registry:${IMAGE}@${DIGEST} --platform=linux/arm64 ${bounds}`,
        `grype sbom:${directory}/npm.cdx.json ${bounds}`,
      ],
    });
    expect(runStep('image', step, { programs: { grype: '[[ $* != *arm64* ]]' } }).status).toBe(1);
  });
});

describe('the release', () => {
  it.each([
    ['0.1.0', ''],
    ['0.2.0-rc.1', ' --prerelease'],
  ])('of %s carries notes, chart, SBOM and both provenances', (version, flag) => {
    for (const file of ['npm.cdx.json', 'image.intoto.jsonl', 'bundle.json', `pod-identity-webhook-${version}.tgz`])
      writeFileSync(join(directory, file), '{}');
    writeFileSync(join(directory, 'notes.md'), 'What is new.\n');
    const names = { VERSION: version, GITHUB_REF_NAME: `v${version}` };
    const { status, calls } = runStep('publish', 'release', { programs: { gh: 'true' }, names });
    const name = `pod-identity-webhook-${version}`;
    expect({ status, calls }).toEqual({
      status: 0,
      calls: [
        `gh release create v${version} --repo=pod-identity-webhook/pod-identity-webhook --verify-tag${flag} ` +
          `--title=${version} --notes-file=notes.md ${name}.tgz ${name}.npm.cdx.json ${name}.chart.intoto.jsonl ` +
          `${name}.image.intoto.jsonl`,
      ],
    });
    expect(readFileSync(join(directory, 'notes.md'), 'utf8')).toBe(
      `What is new.\n\n    ${IMAGE}:${version}@${DIGEST}\n    oci://${CHART}:${version}@${OTHER}\n`,
    );
  });
});
