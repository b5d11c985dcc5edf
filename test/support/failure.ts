// What a promise was rejected with, as a plain value: under Jest an error of Node's is no instance of Error.
import { ownField } from '../../src/admission/json.ts';

/** Code, message and the fields of an API server's refusal, as far as the failure has them. */
export async function failureOf(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  const failure: unknown = await promise.then(
    (value) => ({ message: `it did not fail: ${String(value)}` }),
    (error: unknown) => error,
  );
  return {
    code: ownField(failure, 'code'),
    status: ownField(failure, 'status'),
    retryAfterSeconds: ownField(failure, 'retryAfterSeconds'),
    message: ownField(failure, 'message'),
  };
}
