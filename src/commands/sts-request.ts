// What the SDK in a pod would ask STS for: read from the stored pod where it tells, else what the webhook would give it.
import type { JsonObject } from '../admission/json.ts';
import { ownField, ownList, ownString } from '../admission/json.ts';
import { podNameOf } from '../admission/pod.ts';
import type { Settings, Surroundings } from '../admission/settings.ts';
import { SESSION_NAME_VARIABLE } from '../admission/web-identity.ts';
import { parseRoleArn } from '../aws/arn.ts';
import { isRegion } from '../aws/partitions.ts';
import { annotationsOf } from '../diagnosis/account.ts';
import type { ContainerFacts, PodFacts } from '../diagnosis/facts.ts';
import { webIdentityAudience } from '../diagnosis/token-file.ts';
import { regionsOf, roleOf } from '../diagnosis/variables.ts';

export interface StsRequest {
  readonly roleArn: string;
  readonly audience: string;
  /** Whether the account itself says so. */
  readonly isAnnotatedAudience: boolean;
  /** `diagnose` where the pod has none that can be known. */
  readonly sessionName: string;
  readonly region: string | undefined;
  /** Name of the variable by which the pod asks elsewhere than at AWS's own endpoint. */
  readonly endpointVariable: string | undefined;
}

export interface StsRequestOptions {
  /** Undefined where it does not exist. */
  readonly serviceAccount: JsonObject | undefined;
  /** Of one pod of the account; undefined where it has none. */
  readonly facts: PodFacts | undefined;
  /** Whether the audience of the pod's token is one that STS must not see. */
  readonly hasForeignToken: boolean;
  readonly settings: Settings;
  readonly surroundings: Surroundings;
}

const ENDPOINTS = ['AWS_ENDPOINT_URL_STS', 'AWS_ENDPOINT_URL'];

/** Undefined where STS is asked for nothing: there is no role, or the credentials come from the agent. */
export function stsRequestOf(options: StsRequestOptions): StsRequest | undefined {
  const { serviceAccount, facts, hasForeignToken, settings, surroundings } = options;
  const decision = facts?.decision;
  if (decision?.method === 'container_credentials') return undefined;
  const annotations = annotationsOf(serviceAccount);
  const annotated = (name: string): string => annotations[`${settings.annotationPrefix}/${name}`]?.trim() ?? '';
  const containers = facts?.containers ?? [];
  const roleArn = [decision?.roleArn, annotated('role-arn'), ...containers.flatMap(roleOf)].find(
    (role) => role !== undefined && parseRoleArn(role) !== undefined,
  );
  if (roleArn === undefined) return undefined;
  const given = annotated('audience') === '' ? settings.tokenAudience : annotated('audience');
  const own =
    facts === undefined || hasForeignToken ? [] : containers.map((each) => webIdentityAudience(facts.pod, each));
  return {
    roleArn,
    audience: own.find((audience) => audience !== undefined) ?? given,
    isAnnotatedAudience: annotated('audience') !== '',
    sessionName: sessionNameIn(facts),
    region: [...containers.flatMap(regionsOf), surroundings.region ?? ''].find(isRegion),
    endpointVariable: ENDPOINTS.find((name) => containers.some(({ variables }) => variables.has(name))),
  };
}

function sessionNameIn(facts: PodFacts | undefined): string {
  const container = facts?.containers.find(({ variables }) => variables.has(SESSION_NAME_VARIABLE));
  const name = facts === undefined || container === undefined ? undefined : sessionNameOf(facts.pod, container);
  return name ?? 'diagnose';
}

/** Undefined where the kubelet makes it of what is not known here. */
function sessionNameOf(pod: JsonObject, { container, variables }: ContainerFacts): string | undefined {
  const value = variables.get(SESSION_NAME_VARIABLE);
  if (value !== undefined) return value.includes('$(') ? undefined : value;
  const entry = ownList(container, 'env').find((each) => ownString(each, 'name') === SESSION_NAME_VARIABLE);
  const path = ownString(ownField(ownField(entry, 'valueFrom'), 'fieldRef'), 'fieldPath');
  return path === 'metadata.name' ? podNameOf(pod) : undefined;
}
