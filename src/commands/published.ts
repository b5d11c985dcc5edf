// What is published already, at the issuer or in the directory that is uploaded.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../admission/thrown.ts';
import { DISCOVERY_PATH, parseDiscovery } from '../aws/discovery.ts';
import { discoveryUrlOf, pathBelow } from '../aws/issuer.ts';
import type { PublicJwk } from '../aws/jwks.ts';
import { parseJwks } from '../aws/jwks.ts';
import { ConfigError } from '../config-error.ts';
import type { IssuerFetch } from './issuer-fetch.ts';
import { unusableDirectory } from './publish-files.ts';

export interface Published {
  readonly jwksUri: string;
  readonly keys: readonly PublicJwk[];
}

/** Rejects with ConfigError: keys that were to be kept must not be lost because they could not be read. */
export async function publishedAt(issuer: string, fetch: IssuerFetch): Promise<Published> {
  const get = async (url: string): Promise<string> => {
    const document = await fetch(url, issuer);
    const problem =
      'failure' in document ? document.failure : (document.proof.problem ?? answerProblem(document.status));
    if ('failure' in document || problem !== undefined) throw lost('--merge-published', `${url}: ${problem}`);
    return document.text;
  };
  const discovery = parseDiscovery(parsed('--merge-published', await get(discoveryUrlOf(issuer))));
  if (discovery?.issuer !== issuer || !discovery.jwksUri.startsWith('https://')) {
    throw lost('--merge-published', `${discoveryUrlOf(issuer)} is no discovery document of ${issuer}`);
  }
  const { jwksUri } = discovery;
  return { jwksUri, keys: keysIn('--merge-published', jwksUri, await get(jwksUri)) };
}

function answerProblem(status: number): string | undefined {
  return status === 200 ? undefined : `it answers ${status}`;
}

/** None where the directory holds no documents yet. Rejects with ConfigError where they are another issuer's. */
export async function publishedIn(directory: string, issuer: string): Promise<readonly Published[]> {
  const option = `--out=${JSON.stringify(directory)}`;
  const text = await textIn(directory, DISCOVERY_PATH);
  if (text === undefined) return [];
  const discovery = parseDiscovery(parsed(option, text));
  if (discovery?.issuer !== issuer) {
    const found = JSON.stringify(discovery?.issuer ?? '');
    throw new ConfigError('usage', [`${option}: its documents are of issuer ${found}; give each issuer a directory`]);
  }
  const { jwksUri } = discovery;
  const path = pathBelow(issuer, jwksUri);
  if (path === undefined) throw lost(option, `its keys are elsewhere, at ${jwksUri}`);
  const jwks = await textIn(directory, path);
  if (jwks === undefined) throw lost(option, `${path}, where its keys are, is missing`);
  return [{ jwksUri, keys: keysIn(option, path, jwks) }];
}

function keysIn(option: string, name: string, text: string): readonly PublicJwk[] {
  const jwks = parseJwks(parsed(option, text));
  if (jwks === undefined) throw lost(option, `${name} is no JSON Web Key Set`);
  return jwks.keys;
}

function parsed(option: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw lost(option, 'what is there is no JSON');
  }
}

function lost(option: string, why: string): ConfigError {
  return new ConfigError('usage', [`${option}: ${why}; the keys there would be lost, and nothing was written`]);
}

/** Undefined where there is no such file. */
async function textIn(directory: string, path: string): Promise<string | undefined> {
  try {
    return await readFile(join(directory, path), 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw unusableDirectory(directory, error);
  }
}
