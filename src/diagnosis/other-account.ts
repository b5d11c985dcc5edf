// Which ServiceAccount a pod without identity was probably meant to run as, by those that were given with it.
import { ownString } from '../admission/json.ts';
import { annotationsOf } from './account.ts';
import type { PodFacts } from './facts.ts';
import { nameOf } from './facts.ts';

/** An account with a role (`namespace/name`); undefined where none suggests itself. */
export function otherAccount(facts: PodFacts): string | undefined {
  const { account, serviceAccount } = facts;
  const annotated = annotatedAccounts(facts);
  const inNamespace = annotated.filter((name) => name.startsWith(`${account.namespace}/`));
  const namesake = annotated.filter((name) => name.endsWith(`/${account.name}`));
  const near = inNamespace.length > 0 ? inNamespace : namesake;
  const only = near.find((name) => !isOfOthers(facts, name));
  // Of an account with a name of its own that is there, too many others would be candidates.
  const isDeliberate = serviceAccount !== undefined && account.name !== 'default' && annotated.length > 1;
  return isDeliberate ? undefined : only;
}

/**
 * Whether a pod just lives beside pods that use AWS: it runs as `default`, names nothing of AWS, and the accounts with
 * a role beside it are in use by other programs. A database or a cache is no fault.
 */
export function isBystander(facts: PodFacts): boolean {
  const { account, containers } = facts;
  const beside = annotatedAccounts(facts).filter((name) => name.startsWith(`${account.namespace}/`));
  const namesAws = containers.some(({ variables, imported }) =>
    [...variables.keys(), ...imported].some((name) => name.startsWith('AWS_')),
  );
  return (
    account.name === 'default' && beside.length > 0 && beside.every((name) => isOfOthers(facts, name)) && !namesAws
  );
}

function annotatedAccounts({ serviceAccounts, settings }: PodFacts): string[] {
  const key = `${settings.annotationPrefix}/role-arn`;
  return serviceAccounts.filter((account) => (annotationsOf(account)[key] ?? '').trim() !== '').map(nameOf);
}

/** Whether pods were given that run as the account, and none of them is the same program. */
function isOfOthers({ imagesByAccount, containers }: PodFacts, name: string): boolean {
  const images = imagesByAccount.get(name);
  return images !== undefined && !containers.some(({ container }) => images.has(ownString(container, 'image') ?? ''));
}
