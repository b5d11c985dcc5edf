// The command that publishes the keys of a cluster at an issuer, for a fix that can be pasted.
import { shellWord } from './shell-word.ts';

/** `isPublished`: whether there are keys at the issuer, which must stay for running tokens. */
export function publishCommand(issuer: string, isPublished: boolean): string {
  const merge = isPublished ? ' --merge-published' : '';
  const options = `--from-cluster${merge} ${shellWord(`--issuer=${issuer}`)} --out=public`;
  return `pod-identity-webhook oidc publish ${options}`;
}
