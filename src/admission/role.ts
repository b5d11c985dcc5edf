// The role that a person wrote down, as STS must get it.
import { parseRoleArn, roleArnOf } from '../aws/arn.ts';
import type { Settings, Surroundings } from './settings.ts';

export type RoleAnswer =
  | { readonly kind: 'role'; readonly roleArn: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'invalid'; readonly text: string }
  /** The role is written by its name, and the account that it belongs to is not known yet. */
  | { readonly kind: 'account-id-unknown' };

/** Blanks around the text do not count; a text of nothing but blanks counts as absent. */
export function roleFrom(
  written: string | undefined,
  { settings, surroundings }: { readonly settings: Settings; readonly surroundings: Surroundings },
): RoleAnswer {
  const text = written?.trim() ?? '';
  if (written === undefined || text === '') return { kind: 'absent' };
  if (settings.composeRoleArn && !text.startsWith('arn:')) return composed(text, { settings, surroundings });
  if (parseRoleArn(text) !== undefined) return { kind: 'role', roleArn: text };
  return settings.allowInvalidRoleArn ? { kind: 'role', roleArn: written } : { kind: 'invalid', text };
}

function composed(
  text: string,
  { settings, surroundings }: { settings: Settings; surroundings: Surroundings },
): RoleAnswer {
  const { accountId, partition } = surroundings;
  if (accountId === undefined || partition === undefined) return { kind: 'account-id-unknown' };
  const roleArn = roleArnOf(text, { accountId, partition });
  const isUsable = settings.allowInvalidRoleArn || parseRoleArn(roleArn) !== undefined;
  return isUsable ? { kind: 'role', roleArn } : { kind: 'invalid', text };
}
