// Which ServiceAccount a pod without identity was probably meant to run as, by those that were given with it.
import type { JsonObject } from '../admission/json.ts';
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
  const candidates = inNamespace.length > 0 ? annotated : namesake;
  // Of an account with a name of its own that is there, too many others would be candidates.
  const isDeliberate = serviceAccount !== undefined && account.name !== 'default' && candidates.length > 1;
  return isDeliberate ? undefined : near.find((name) => !isOfOthers(facts, name));
}

function annotatedAccounts({ serviceAccounts, settings }: PodFacts): string[] {
  const key = `${settings.annotationPrefix}/role-arn`;
  return serviceAccounts.filter((account) => (annotationsOf(account)[key] ?? '').trim() !== '').map(nameOf);
}

/** Whether pods were given that run as the account, and none of them is the same program. */
function isOfOthers({ imagesByAccount, containers }: PodFacts, name: string): boolean {
  const images = imagesByAccount.get(name);
  return images !== undefined && !containers.some(({ container }) => images.has(programOf(container)));
}

/** The image that tells which program a container runs; of a runtime or a shell that anybody uses, nothing. */
export function programOf(container: JsonObject): string {
  const image = ownString(container, 'image') ?? '';
  return image.includes('/') && !/^(?:docker\.io|public\.ecr\.aws\/docker)\/library\//.test(image) ? image : '';
}
