// A call of AWS's query protocol as STS reads it: one form, whose parameters keep the limits of the service model
// (botocore, data/sts/2011-06-15). Every violated constraint is told at once, as AWS does.
import { parseRoleArn } from '../../src/aws/arn.ts';
import type { RoleArn } from '../../src/aws/arn.ts';
import { ROLE_ARN_INVALID } from '../../src/aws/sts-errors.ts';
import { invalidAction, refusalFrom, validationError } from './sts-refusal.ts';
import type { Refusal } from './sts-refusal.ts';

export interface AssumeRoleParameters {
  readonly roleArn: string;
  readonly role: RoleArn;
  readonly sessionName: string;
  readonly token: string;
  readonly durationSeconds: number;
}

const version = '2011-06-15';

/** The action, or why the form is none of STS'. */
export function actionOf(form: URLSearchParams): string | Refusal {
  const action = form.get('Action') ?? '';
  if (['AssumeRoleWithWebIdentity', 'GetCallerIdentity'].includes(action) && form.get('Version') === version) {
    return action;
  }
  return invalidAction(action, form.get('Version') ?? 'NO_VERSION_SPECIFIED');
}

export function parseAssumeRole(form: URLSearchParams): AssumeRoleParameters | Refusal {
  const repeated = [...new Set(form.keys())].filter((name) => form.getAll(name).length > 1);
  if (repeated.length > 0) return validationError(`Parameter ${repeated[0] ?? ''} occurs more than once`);
  const roleArn = form.get('RoleArn');
  const sessionName = form.get('RoleSessionName');
  const token = form.get('WebIdentityToken');
  const duration = form.get('DurationSeconds') ?? '3600';
  const violations = [
    ...lengthViolations('roleArn', roleArn, [20, 2048]),
    ...lengthViolations('roleSessionName', sessionName, [2, 64]),
    ...patternViolations('roleSessionName', sessionName),
    ...lengthViolations('webIdentityToken', token, [4, 20_000]),
    ...durationViolations(duration),
  ];
  if (violations.length > 0 || roleArn === null || sessionName === null || token === null) {
    const count = `${violations.length} validation error${violations.length === 1 ? '' : 's'} detected`;
    return validationError(`${count}: ${violations.join('; ')}`);
  }
  const role = parseRoleArn(roleArn);
  if (role === undefined) return refusalFrom(ROLE_ARN_INVALID);
  return { roleArn, role, sessionName, token, durationSeconds: Number(duration) };
}

function violation(name: string, value: string, constraint: string): string {
  return `Value ${value} at '${name}' failed to satisfy constraint: Member must ${constraint}`;
}

function lengthViolations(name: string, value: string | null, [least, most]: readonly [number, number]): string[] {
  if (value === null) return [violation(name, 'null', 'not be null')];
  // AWS does not print a token.
  const shown = name === 'webIdentityToken' ? "'***'" : `'${value}'`;
  if (value.length < least) return [violation(name, shown, `have length greater than or equal to ${least}`)];
  if (value.length > most) return [violation(name, shown, `have length less than or equal to ${most}`)];
  return [];
}

function patternViolations(name: string, value: string | null): string[] {
  if (value === null || /^[\w+=,.@-]*$/.test(value)) return [];
  return [violation(name, `'${value}'`, 'satisfy regular expression pattern: [\\w+=,.@-]*')];
}

function durationViolations(value: string): string[] {
  if (!/^\d{1,9}$/.test(value)) return [violation('durationSeconds', `'${value}'`, 'be an integer')];
  if (Number(value) < 900)
    return [violation('durationSeconds', `'${value}'`, 'have value greater than or equal to 900')];
  if (Number(value) > 43_200)
    return [violation('durationSeconds', `'${value}'`, 'have value less than or equal to 43200')];
  return [];
}
