// Chart and program belong together: every flag is a value, and what the chart renders is what the program takes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ownField, ownList, ownString } from '../../src/admission/json.ts';
import { environmentName, parseCommandLine } from '../../src/cli.ts';
import { configFrom } from '../../src/config.ts';
import type { FlagValues } from '../../src/flags/given.ts';
import { FLAGS } from '../../src/flags/table.ts';
import { version } from '../../src/version.ts';
import { CHART, objectsOf, render, ROOT } from './support/helm.ts';
import { shapes } from './support/shapes.ts';

/** What is no value, and why. */
const NO_VALUE: Readonly<Record<string, string>> = {
  standalone: 'is for running without a cluster',
  'in-cluster': 'is another word for tls.mode=self-signed',
};

interface Started {
  readonly args: readonly string[];
  readonly variables: readonly string[];
}

function startedBy(values: object): Started {
  const deployment = objectsOf(render({ values })).find(({ kind }) => kind === 'Deployment');
  const podSpec = ownField(ownField(ownField(deployment, 'spec'), 'template'), 'spec');
  const [container] = ownList(podSpec, 'containers');
  return {
    args: ownList(container, 'args').map(String),
    variables: ownList(container, 'env').map((variable) => ownString(variable, 'name') ?? ''),
  };
}

function flagsOf(args: readonly string[]): FlagValues {
  const line = parseCommandLine(args, {});
  if (line.kind !== 'run' || line.command !== 'serve') throw new Error('These arguments do not run the server.');
  return line.flags;
}

const serving = FLAGS.filter(({ commands }) => commands.includes('serve'));

describe('flags', () => {
  test('are all values, but those that say why not', () => {
    const rendered = new Set(
      shapes.flatMap(({ values }) => {
        const { args, variables } = startedBy(values);
        return [
          ...args.map((arg) => /^--([^=]+)/.exec(arg)?.[1]),
          ...serving.filter((flag) => variables.includes(environmentName(flag))).map(({ name }) => name),
        ];
      }),
    );
    expect(
      serving
        .map(({ name }) => name)
        .filter((name) => !rendered.has(name))
        .toSorted(),
    ).toEqual(Object.keys(NO_VALUE).toSorted());
  });

  test.each(shapes)('of the shape $name are what the program takes, without a warning', ({ name, values }) => {
    const { warnings } = configFrom(flagsOf(startedBy(values).args));
    expect({ name, warnings }).toEqual({ name, warnings: [] });
  });

  test('have the program’s own defaults, but where the chart has a better one', () => {
    const flags = flagsOf(startedBy({}).args);
    const preset = flagsOf(['serve']);
    const differing = serving.map(({ name }) => name).filter((name) => flags.text(name) !== preset.text(name));
    expect(Object.fromEntries(differing.map((name) => [name, flags.text(name)]))).toEqual({
      port: '8443',
      'tls-mode': 'self-signed',
      'tls-min-version': '1.3',
      'tls-secret': 'pod-identity-webhook-self-signed',
      'webhook-configuration': 'pod-identity-webhook.pod-identity-webhook',
      namespace: 'pod-identity-webhook',
      'aws-default-region': 'auto',
      'sts-regional-endpoint': 'true',
    });
  });
});

test('the version of the program is that of chart and image', () => {
  const chart = readFileSync(join(CHART, 'Chart.yaml'), 'utf8');
  const ofPackage: unknown = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect({
    version: /^version: (.*)$/m.exec(chart)?.[1],
    appVersion: /^appVersion: "(.*)"$/m.exec(chart)?.[1],
    package: ownString(ofPackage, 'version'),
    image: /image: (.*)/.exec(render({ only: ['templates/deployment.yaml'] }))?.[1],
  }).toEqual({
    version,
    appVersion: version,
    package: version,
    image: `ghcr.io/pod-identity-webhook/pod-identity-webhook:${version}`,
  });
});
