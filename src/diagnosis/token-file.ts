// Whether the token file that a container's variables name is there, is the right token, stays fresh and can be read.
import { AUTHORIZATION_FILE_VARIABLE, FULL_URI_VARIABLE } from '../admission/container-credentials.ts';
import type { JsonObject } from '../admission/json.ts';
import { isObject, ownField, ownList, ownString } from '../admission/json.ts';
import { TOKEN_FILE_VARIABLE } from '../admission/web-identity.ts';
import { annotationsOf, MIN_EXPIRATION_SECONDS } from './account.ts';
import type { ContainerFacts, PodFacts } from './facts.ts';
import { unreadableBy } from './file-permission.ts';
import type { Problem, ProblemId } from './problem.ts';

/** kOps runs the webhook with this audience, and its providers know it. */
const KOPS_AUDIENCE = 'amazonaws.com';
/** What people write who project the token by hand. */
const DEFAULT_AUDIENCE = 'sts.amazonaws.com';
/** Of the API server, of other programs, and misspellings of STS: no IAM provider has these on purpose. */
const FOREIGN_AUDIENCE = /kubernetes|\.svc(?:\.|$)|cluster\.local|^vault$|^pods\.eks\.|sts\.amazon/;
/** Where Kubernetes puts secrets: nothing in an image or of the program's own is there. */
const SECRETS = /^(?:\/var)?\/run\/secrets\//;
const RESTART = 'create the pod again';

export function tokenFileProblems(facts: PodFacts, container: ContainerFacts): Problem[] {
  return [TOKEN_FILE_VARIABLE, AUTHORIZATION_FILE_VARIABLE].flatMap((variable) => {
    const path = container.variables.get(variable);
    return path === undefined ? [] : fileProblems(facts, container, { variable, path: linuxPath(path) });
  });
}

interface TokenFile {
  readonly variable: string;
  readonly path: string;
}

function fileProblems(facts: PodFacts, container: ContainerFacts, { variable, path }: TokenFile): Problem[] {
  const { object } = container;
  const problem = (
    id: ProblemId,
    severity: Problem['severity'],
    [evidence, fix]: readonly [string, string],
  ): Problem => ({
    id,
    severity,
    object,
    evidence,
    fix,
  });
  const missing = (what: string): Problem[] => [
    problem('env-without-volume', 'error', [
      `${variable} is ${path}, and ${what}`,
      `remove the AWS variables from the pod template, so that the webhook adds them with the volume, then ${RESTART}`,
    ]),
  ];
  const mount = mountOf(container.container, path);
  if (mount === undefined) return SECRETS.test(path) ? missing('no volume is mounted there') : [];
  const volume = volumeOf(facts.pod, mount.name);
  if (volume === undefined) return missing(`the pod has no volume ${mount.name}`);
  const token = tokenIn(volume, mount.subPath === '' ? mount.rest : mount.subPath);
  if (token === undefined) {
    const isForeign = SECRETS.test(path) || ownField(volume, 'projected') !== undefined;
    return isForeign ? missing(`volume ${mount.name} projects no token to it`) : [];
  }
  const problems: Problem[] = [];
  if (mount.subPath !== '') {
    problems.push(
      problem('volume-mounted-with-subpath', 'error', [
        `volume ${mount.name} is mounted with subPath ${mount.subPath}: the kubelet never renews what is mounted so, and the token expires`,
        `mount the whole volume at a directory, without subPath, in the pod template, and apply it`,
      ]),
    );
  }
  const audience = audienceProblem(facts, container, { variable, path, audience: ownString(token, 'audience') });
  if (audience !== undefined) problems.push(problem('audience-mismatch', 'error', audience));
  const expiration = ownField(token, 'expirationSeconds');
  if (typeof expiration === 'number' && expiration < MIN_EXPIRATION_SECONDS) {
    problems.push(
      problem('token-expiration-below-minimum', 'warning', [
        `volume ${mount.name} asks for a token of ${expiration} seconds; Kubernetes issues none for less than 600`,
        `write expirationSeconds: 600 or more in the pod template, and apply it`,
      ]),
    );
  }
  const unreadable = unreadableBy(facts.pod, container.container, ownField(volume, 'projected'));
  if (unreadable !== undefined) {
    problems.push(
      problem('token-file-permission', 'error', [
        `${path}: ${unreadable}`,
        'set spec.securityContext.fsGroup, to 65534 for example, or remove defaultMode from the volume, in the pod template, and apply it',
      ]),
    );
  }
  return problems;
}

/** Undefined where the token is for whom it must be for, or where that cannot be known. */
function audienceProblem(
  { serviceAccount, settings }: PodFacts,
  { variables }: ContainerFacts,
  { variable, path, audience }: TokenFile & { readonly audience: string | undefined },
): readonly [evidence: string, fix: string] | undefined {
  const prefix = settings.annotationPrefix;
  const isAgent = variable === AUTHORIZATION_FILE_VARIABLE;
  const { containerCredentials } = settings;
  // Another endpoint knows another audience.
  if (isAgent && variables.get(FULL_URI_VARIABLE) !== containerCredentials.fullUri) return undefined;
  const annotations = annotationsOf(serviceAccount);
  const annotated = annotations[`${prefix}/audience`] ?? '';
  const told = annotated === '' ? settings.tokenAudience : annotated;
  const expected = isAgent ? containerCredentials.audience : told;
  // An account without a role of its own has it from a ConfigMap of the webhook, which may name any audience.
  const isForeign = audience !== DEFAULT_AUDIENCE && FOREIGN_AUDIENCE.test(audience ?? '');
  const isUnknown = annotations[`${prefix}/role-arn`] === undefined && !isForeign;
  const isTolerated = !isAgent && annotated === '' && (audience === KOPS_AUDIENCE || isUnknown);
  if (audience === expected || (isTolerated && audience !== undefined)) return undefined;
  const actual = audience === undefined ? 'the API server’s own audience' : JSON.stringify(audience);
  const origin = annotated === '' ? 'the webhook gives' : `annotation ${prefix}/audience of the ServiceAccount says`;
  return [
    `the token at ${path} is for ${actual}; ${isAgent ? 'the agent takes' : origin} ${JSON.stringify(expected)}`,
    `let the webhook make the volume, and ${RESTART}, or give provider and trust policy the audience that the token has`,
  ];
}

/** Of the token that a container's SDK would send to STS; undefined where the pod does not tell. */
export function webIdentityAudience(pod: JsonObject, { container, variables }: ContainerFacts): string | undefined {
  const path = variables.get(TOKEN_FILE_VARIABLE);
  const mount = path === undefined ? undefined : mountOf(container, linuxPath(path));
  const volume = mount === undefined ? undefined : volumeOf(pod, mount.name);
  if (mount === undefined || volume === undefined) return undefined;
  return ownString(tokenIn(volume, mount.subPath === '' ? mount.rest : mount.subPath), 'audience');
}

interface Mount {
  readonly name: string;
  readonly subPath: string;
  /** Of the file, below the mount. */
  readonly rest: string;
}

/** The mount that the file is in: of several the deepest. */
function mountOf(container: JsonObject, path: string): Mount | undefined {
  const mounts = ownList(container, 'volumeMounts')
    .filter(isObject)
    .map((mount) => ({ mount, at: linuxPath(ownString(mount, 'mountPath') ?? '').replace(/\/+$/, '') }))
    .filter(({ at }) => at !== '' && sameRun(`${path}/`).startsWith(sameRun(`${at}/`)))
    .toSorted((one, other) => other.at.length - one.at.length);
  const [found] = mounts;
  if (found === undefined) return undefined;
  const { mount, at } = found;
  return {
    name: ownString(mount, 'name') ?? '',
    subPath: ownString(mount, 'subPath') ?? ownString(mount, 'subPathExpr') ?? '',
    rest: sameRun(path).slice(sameRun(at).length + 1),
  };
}

function volumeOf(pod: JsonObject, name: string): JsonObject | undefined {
  return ownList(ownField(pod, 'spec'), 'volumes')
    .filter(isObject)
    .find((volume) => ownString(volume, 'name') === name);
}

/** The token that a volume projects to a path. */
function tokenIn(volume: JsonObject, path: string): unknown {
  return ownList(ownField(volume, 'projected'), 'sources')
    .map((source) => ownField(source, 'serviceAccountToken'))
    .find((token) => ownString(token, 'path') === path);
}

/** In most images /var/run is a link to /run. */
function sameRun(path: string): string {
  return path.replace(/^\/var\/run\//, '/run/');
}

function linuxPath(path: string): string {
  return path.replace(/^[A-Za-z]:/, '').replaceAll('\\', '/');
}
