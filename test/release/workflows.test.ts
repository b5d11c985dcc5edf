// What may run in the workflows, and with which rights: a release is as safe as they are.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { isObject, ownField, ownList, ownString } from '../../src/admission/json.ts';

const DIRECTORY = join(import.meta.dirname, '../../.github/workflows');

const workflows = readdirSync(DIRECTORY).map((file) => {
  const text = readFileSync(join(DIRECTORY, file), 'utf8');
  const content: unknown = parse(text);
  return { file, text, content };
});

function jobsOf(workflow: unknown): readonly (readonly [name: string, job: unknown])[] {
  const jobs = ownField(workflow, 'jobs');
  return isObject(jobs) ? Object.entries(jobs) : [];
}

function contentOf(file: string): unknown {
  return workflows.find((workflow) => workflow.file === file)?.content;
}

describe.each(workflows)('$file', ({ text, content }) => {
  it('pins every action by its commit, and names the version beside it', () => {
    const uses = [...text.matchAll(/^ *(?:- )?uses: (.*)$/gm)].map(([, action]) => action);
    const unpinned = uses.filter((action) => !/^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action ?? ''));
    expect({ some: uses.length > 0, unpinned }).toEqual({ some: true, unpinned: [] });
  });

  it('pins one action by one commit', () => {
    const pins = [...text.matchAll(/uses: ([\w./-]+)@([0-9a-f]{40})/g)].map(
      ([, action, commit]) => `${action} ${commit}`,
    );
    const distinct = new Set(pins);
    expect(distinct.size).toBe(new Set([...distinct].map((pin) => pin.split(' ')[0])).size);
  });

  it('has no expression in a script, where a name from outside would be run', () => {
    const scripts = jobsOf(content).flatMap(([, job]) =>
      ownList(job, 'steps').map((step) => ownString(step, 'run') ?? ''),
    );
    expect(scripts.filter((script) => script.includes('${{'))).toEqual([]);
  });

  it('ends by itself', () => {
    const endless = jobsOf(content).filter(([, job]) => typeof ownField(job, 'timeout-minutes') !== 'number');
    expect(endless.map(([name]) => name)).toEqual([]);
  });

  it('leaves no token behind in the checkout', () => {
    const checkouts = jobsOf(content)
      .flatMap(([, job]) => ownList(job, 'steps'))
      .filter((step) => ownString(step, 'uses')?.startsWith('actions/checkout@') === true);
    expect(checkouts.map((step) => ownField(ownField(step, 'with'), 'persist-credentials'))).toEqual(
      checkouts.map(() => false),
    );
  });
});

describe('rights', () => {
  it('are none where a job does not ask for them, and these where it does', () => {
    const rights = workflows.map(({ file, content }) => [
      file,
      ownField(content, 'permissions'),
      Object.fromEntries(jobsOf(content).map(([name, job]) => [name, ownField(job, 'permissions')])),
    ]);
    const signing = { packages: 'write', 'id-token': 'write', attestations: 'write' };
    expect(rights).toEqual([
      ['ci.yaml', { contents: 'read' }, { everything: undefined, image: undefined }],
      ['e2e-kind.yaml', { contents: 'read' }, { kind: undefined }],
      [
        'release.yaml',
        {},
        {
          check: { contents: 'read' },
          image: { contents: 'read', ...signing },
          run: { packages: 'read' },
          publish: { contents: 'write', ...signing },
        },
      ],
      ['rescan.yaml', {}, { scan: { contents: 'read', packages: 'read' } }],
    ]);
  });

  it('to write are given to nothing that runs code of npm packages', () => {
    const writers = ['image', 'publish'].map((name) => ownField(ownField(contentOf('release.yaml'), 'jobs'), name));
    const scripts = writers.flatMap((job) => ownList(job, 'steps').map((step) => ownString(step, 'run') ?? ''));
    expect(scripts.filter((script) => /(?:^|[;&|(])\s*(?:npm|npx|node)\s/m.test(script))).toEqual([]);
  });
});

describe('a release', () => {
  const names = (): unknown => ownField(contentOf('release.yaml'), 'env');

  it('is called as the chart, the plain manifests and SECURITY.md call it', () => {
    const root = join(import.meta.dirname, '../..');
    const image = ownString(names(), 'IMAGE') ?? '';
    const values: unknown = parse(readFileSync(join(root, 'charts/pod-identity-webhook/values.yaml'), 'utf8'));
    const said = ownField(values, 'image');
    expect(`${ownString(said, 'registry')}/${ownString(said, 'repository')}`).toBe(image);
    expect(readFileSync(join(root, 'deploy/self-signed/50-deployment.yaml'), 'utf8')).toContain(`image: ${image}:`);

    const security = readFileSync(join(root, 'SECURITY.md'), 'utf8');
    const verified = new Set(security.match(/ghcr\.io\/[\w/-]+(?=:VERSION)/g));
    expect(verified).toEqual(new Set([ownString(names(), 'CHART'), image]));
    const identity = ownString(names(), 'IDENTITY')?.replace('${{ github.ref }}', 'refs/tags/vVERSION');
    expect(/^identity=(.*)$/m.exec(security)?.[1]).toBe(identity);
    expect(/^issuer=(.*)$/m.exec(security)?.[1]).toBe(ownString(names(), 'ISSUER'));
  });

  it('is ended by no other, neither while it runs nor while it waits', () => {
    expect(ownField(contentOf('release.yaml'), 'concurrency')).toEqual({ group: 'release-${{ github.ref }}' });
  });

  it('is built of the bases that the Dockerfile names, pinned by digest', () => {
    const dockerfile = readFileSync(join(import.meta.dirname, '../../Dockerfile'), 'utf8');
    const bases = [...dockerfile.matchAll(/^ARG (\w+_IMAGE)=\S+$/gm)].map(([, name]) => name);
    const steps = ownList(ownField(ownField(contentOf('release.yaml'), 'jobs'), 'image'), 'steps');
    const build = steps.find((step) => ownString(step, 'uses')?.startsWith('docker/build-push-action@'));
    const args = ownString(ownField(build, 'with'), 'build-args') ?? '';
    const given = args.split('\n').filter((line) => line.includes('_IMAGE='));
    expect(given.map((line) => line.split('=')[0])).toEqual(bases);
  });
});
