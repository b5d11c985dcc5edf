// docs/security.md says of every right what the chart gives. UPDATE_CASES=1 writes the table anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { objectsOf, render, ROOT } from './support/helm.ts';
import { rightsTable } from './support/rights.ts';

const PAGE = join(ROOT, 'docs/security.md');
const TABLE = /(?<=<!-- rights: [^>]*-->\n\n).*?(?=\n\n<!-- \/rights -->)/s;

test('the security page has the table of rights', () => {
  const wanted = rightsTable();
  if (process.env['UPDATE_CASES'] !== undefined) {
    writeFileSync(
      PAGE,
      readFileSync(PAGE, 'utf8').replace(TABLE, () => wanted),
    );
  }
  expect(TABLE.exec(readFileSync(PAGE, 'utf8'))?.[0]).toBe(wanted);
});

test('no shape of an installation may read all Secrets, make tokens or impersonate', () => {
  const everything = { roleConfigMap: { enabled: true }, namespacePolicy: true };
  for (const values of [{}, everything, { shadow: true }, { tls: { mode: 'cert-manager' } }]) {
    const rules = objectsOf(render({ values }))
      .filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')
      .map(({ rules: some }) => JSON.stringify(some))
      .join('\n');
    expect(rules).not.toMatch(/\*|serviceaccounts\/|impersonate|escalate|"bind"|"delete/);
    expect(rules).not.toMatch(/"secrets"\],"verbs"/);
  }
});
