// The variables that say where AWS's services are. No single region variable serves every SDK, so both are set; where
// a container has one of them, the pair is its author's business.
import type { Variable, Variables } from './container.ts';

export const DEFAULT_REGION_VARIABLE = 'AWS_DEFAULT_REGION';
export const REGION_VARIABLE = 'AWS_REGION';
export const STS_ENDPOINTS_VARIABLE = 'AWS_STS_REGIONAL_ENDPOINTS';

export interface Endpoints {
  /** None is set where undefined. */
  readonly region: string | undefined;
  readonly regionalSts: boolean;
  /** Give the missing one of the pair the literal value of the other. */
  readonly mirrored: boolean;
}

export function endpointVariables(present: Variables, endpoints: Endpoints): readonly Variable[] {
  const regional = endpoints.regionalSts && !present.has(STS_ENDPOINTS_VARIABLE);
  return [
    ...(regional ? [{ name: STS_ENDPOINTS_VARIABLE, value: 'regional' }] : []),
    ...regionVariables(present, endpoints),
  ];
}

export function regionVariables(
  present: Variables,
  { region, mirrored }: Pick<Endpoints, 'region' | 'mirrored'>,
): readonly Variable[] {
  const names = [DEFAULT_REGION_VARIABLE, REGION_VARIABLE];
  const missing = names.filter((name) => !present.has(name));
  const own = names.map((name) => present.get(name)).find((value) => value !== undefined && value !== '');
  if (missing.length === names.length)
    return region === undefined ? [] : missing.map((name) => ({ name, value: region }));
  return mirrored && own !== undefined ? missing.map((name) => ({ name, value: own })) : [];
}
