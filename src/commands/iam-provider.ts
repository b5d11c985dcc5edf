// `iam provider`: prints what creates the IAM OIDC provider of an issuer; it calls nobody at AWS.
import { discoveryUrlOf } from '../aws/issuer.ts';
import { parseDiscovery } from '../aws/discovery.ts';
import type { NoAnswer, PublicDocument } from '../aws/issuer-checks.ts';
import type { Provider, ProviderForm } from '../aws/provider-forms.ts';
import { providerText } from '../aws/provider-forms.ts';
import { ConfigError } from '../config-error.ts';
import type { FlagValues } from '../flags/given.ts';
import { presentText } from '../settings-from-flags.ts';
import { printable } from './findings.ts';
import type { CommandCall, ExitCode } from './io.ts';
import type { IssuerFetch } from './issuer-fetch.ts';
import {
  fetchFrom,
  issuerFrom,
  issuerOptionProblems,
  issuerOptionWarnings,
  refuseWrongUse,
  unusedFetchProblems,
} from './issuer-options.ts';

/** IAM: 100 client ids for each provider, of 255 characters each. */
const MAX_CLIENT_IDS = 100;
const MAX_CLIENT_ID_LENGTH = 255;

/** Rejects with ConfigError where it is used wrongly, or the issuer with a CA of its own does not answer. */
export async function runIamProvider({ flags, io }: CommandCall): Promise<ExitCode> {
  const problems: string[] = [];
  const issuer = issuerFrom(flags, problems);
  if (issuer !== '') problems.push(...issuerOptionProblems(issuer));
  const clientIds = clientIdsFrom(flags, problems);
  const fetch = await fetchFrom(flags, io, problems);
  const isPrivate = presentText(flags, 'certificate-authority') !== undefined;
  if (!isPrivate) problems.push(...unusedFetchProblems(flags, '--certificate-authority=FILE'));
  refuseWrongUse(problems);
  for (const warning of issuerOptionWarnings(issuer)) io.stderr(`${printable(warning)}\n`);
  const thumbprints = isPrivate ? await thumbprintsOf(issuer, fetch, io.stderr) : [];
  const provider: Provider = { issuer, clientIds, thumbprints };
  const form: ProviderForm = flags.text('form') === 'terraform' ? 'terraform' : 'aws-cli';
  const text = providerText(form, provider);
  io.stdout(flags.text('output') === 'json' ? `${JSON.stringify({ ...provider, form, text }, null, 2)}\n` : text);
  return 0;
}

function clientIdsFrom(flags: FlagValues, problems: string[]): readonly string[] {
  const given = ['token-audience', 'client-id'].flatMap((name) => flags.all(name).map((id) => ({ name, id })));
  const wrong = given.filter(({ id }) => id === '' || id.length > MAX_CLIENT_ID_LENGTH);
  problems.push(
    ...wrong.map(({ name, id }) => `--${name}=${JSON.stringify(id)}: want 1 to ${MAX_CLIENT_ID_LENGTH} characters`),
  );
  const clientIds = [...new Set(given.map(({ id }) => id))];
  if (clientIds.length > MAX_CLIENT_IDS) problems.push(`${clientIds.length} client ids: IAM takes ${MAX_CLIENT_IDS}`);
  return clientIds;
}

/** Of the issuer's server, and of the keys' where that is another; empty where public CAs sign for both. */
async function thumbprintsOf(
  issuer: string,
  fetch: IssuerFetch,
  hint: (text: string) => void,
): Promise<readonly string[]> {
  const discovery = trusted(await fetch(discoveryUrlOf(issuer), issuer));
  const jwksUri = jwksUriIn(discovery);
  const servers = [discovery, ...(jwksUri === undefined ? [] : [trusted(await fetch(jwksUri, issuer))])];
  const own = servers.filter(({ proof }) => proof.isPrivate);
  if (own.length === 0) hint('a public CA signs for the issuer: no thumbprint is needed\n');
  if (own.some(({ proof }) => proof.certificates === 1)) {
    hint('the server sends its certificate alone, whose thumbprint changes with each renewal: send the CA along\n');
  }
  return [...new Set(own.map(({ proof }) => proof.thumbprint))];
}

/** A chain that nobody can trust must not be pinned. */
function trusted(document: PublicDocument | NoAnswer): PublicDocument {
  const problem = 'failure' in document ? document.failure : document.proof.problem;
  if ('failure' in document || problem !== undefined) {
    throw new ConfigError('usage', [`${document.url}: ${problem}; no thumbprint was taken`]);
  }
  return document;
}

function jwksUriIn({ text, url }: PublicDocument): string | undefined {
  try {
    const jwksUri = parseDiscovery(JSON.parse(text))?.jwksUri ?? '';
    const isElsewhere = jwksUri.startsWith('https://') && new URL(jwksUri).host !== new URL(url).host;
    return isElsewhere ? jwksUri : undefined;
  } catch {
    return undefined;
  }
}
