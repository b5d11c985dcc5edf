// What cannot be asked says nothing of the pod in question, and keeps nothing else from being said.
import { messageOf } from '../admission/thrown.ts';

/** Undefined where it rejects, after `hint` was told why. */
export async function orHint<T>(asking: Promise<T>, hint: (why: string) => void): Promise<T | undefined> {
  try {
    return await asking;
  } catch (error) {
    hint(messageOf(error));
    return undefined;
  }
}
