// `oidc publish`: writes an issuer's two documents into a directory, to be served by anybody who serves files. Keys that
// are published stay until they are retired, so that a rotation overlaps.
import { DISCOVERY_PATH, discoveryDocument } from '../aws/discovery.ts';
import { jwksUriOf, pathBelow } from '../aws/issuer.ts';
import { jwksDocument, mergedKeys } from '../aws/jwks.ts';
import type { Merged } from '../aws/jwks.ts';
import { shellWord } from '../aws/shell-word.ts';
import { uploadHints } from '../aws/upload.ts';
import { presentText } from '../settings-from-flags.ts';
import type { CommandCall, ExitCode } from './io.ts';
import { printable } from './findings.ts';
import {
  fetchFrom,
  issuerFrom,
  issuerOptionProblems,
  issuerOptionWarnings,
  refuseWrongUse,
  unusedFetchProblems,
} from './issuer-options.ts';
import { currentKeys } from './publish-keys.ts';
import { writeDocument } from './publish-files.ts';
import { publishedAt, publishedIn } from './published.ts';
import type { Published } from './published.ts';

/** Rejects with ConfigError where it is used wrongly, and where something that it needs cannot be read. */
export async function runOidcPublish(call: CommandCall): Promise<ExitCode> {
  const { flags, io } = call;
  const problems: string[] = [];
  const issuer = issuerFrom(flags, problems);
  if (issuer !== '') problems.push(...issuerOptionProblems(issuer));
  const directory = (presentText(flags, 'out') ?? '').replace(/(?<=.)\/+$/, '');
  if (directory === '') problems.push('--out is missing: give the directory to write, as in --out=public');
  const fetch = await fetchFrom(flags, io, problems);
  if (!flags.isOn('merge-published')) problems.push(...unusedFetchProblems(flags, '--merge-published'));
  refuseWrongUse(problems);

  const { keys: current, cluster, notes } = await currentKeys(call);
  const before = [
    ...(flags.isOn('merge-published') ? [await publishedAt(issuer, fetch)] : []),
    ...(await publishedIn(directory, issuer)),
  ];
  const jwksUri = jwksUriFrom(
    presentText(flags, 'jwks-uri'),
    [...before, ...(cluster === undefined ? [] : [cluster])],
    issuer,
  );
  const path = pathBelow(issuer, jwksUri);
  refuseWrongUse(path === undefined ? [`--jwks-uri=${JSON.stringify(jwksUri)}: want an address below ${issuer}`] : []);
  const published = before.flatMap(({ keys }) => keys);
  const merged = mergedKeys({ current, published, retired: flags.all('retire') });
  refuseWrongUse(merged.problems);

  const paths = [path ?? '', DISCOVERY_PATH];
  // The keys first: a document must not lead to what is not there yet.
  await writeDocument(directory, paths[0] ?? '', jwksDocument(merged.keys));
  await writeDocument(directory, DISCOVERY_PATH, discoveryDocument({ issuer, jwksUri, keys: merged.keys }));
  const hints = [
    ...notes,
    ...issuerOptionWarnings(issuer),
    ...unknownKeys(flags.all('retire'), published),
    ...rotationHints(merged),
    ...uploadHints({ issuer, directory, paths }),
    ...(cluster?.issuer === issuer || (cluster === undefined && before.length > 0)
      ? []
      : clusterHints(issuer, jwksUri, cluster?.issuer)),
  ];
  const files = paths.map((one) => `${directory}/${one}`);
  const rows = merged.keys.map(({ kid, alg }) => ({ kid, alg, inUse: !merged.kept.includes(kid) }));
  const isJson = flags.text('output') === 'json';
  io.stdout(isJson ? `${JSON.stringify({ issuer, jwksUri, files, keys: rows }, null, 2)}\n` : written(files, rows));
  for (const hint of hints) io.stderr(`${printable(hint)}\n`);
  return 0;
}

/** An address that is in use stays; else the API server's own, where it is public. */
function jwksUriFrom(given: string | undefined, known: readonly Pick<Published, 'jwksUri'>[], issuer: string): string {
  const used = known.map(({ jwksUri }) => jwksUri).find((jwksUri) => pathBelow(issuer, jwksUri) !== undefined);
  return given ?? used ?? jwksUriOf(issuer);
}

function written(files: readonly string[], keys: readonly { kid: string; alg: string; inUse: boolean }[]): string {
  return [
    ...files.map((file) => `wrote ${file}`),
    ...keys.map(({ kid, alg, inUse }) => `key ${kid}  ${alg}  ${inUse ? 'in use' : 'kept for running tokens'}`),
  ]
    .map((line) => `${printable(line)}\n`)
    .join('');
}

function rotationHints({ kept, replaced }: Merged): readonly string[] {
  const lifetime = 'when the last token that it signed has expired, a day after the rotation unless tokens live longer';
  return [
    ...kept.map((kid) => `key ${kid} is published and not the cluster's: ${shellWord(`--retire=${kid}`)} ${lifetime}`),
    ...replaced.map(
      (kid) => `key ${kid} was published with another key, which is gone: its tokens are no longer taken`,
    ),
  ];
}

/** No fault: it may have been retired by an earlier run. Or its id has a slip, and the key stays. */
function unknownKeys(retired: readonly string[], published: readonly { readonly kid: string }[]): readonly string[] {
  const unknown = retired.filter((kid) => !published.some((key) => key.kid === kid));
  return unknown.map(
    (kid) => `--retire=${JSON.stringify(kid)}: no key with this id is published, so none was taken away`,
  );
}

function clusterHints(issuer: string, jwksUri: string, present = 'THE-ISSUER-THAT-IT-HAS-NOW'): readonly string[] {
  return [
    'then start the API server with these, in this order, so that running tokens stay valid:',
    `  --service-account-issuer=${issuer}`,
    `  ${shellWord(`--service-account-issuer=${present}`)}`,
    `  --service-account-jwks-uri=${jwksUri}`,
  ];
}
