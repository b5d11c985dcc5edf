// What is wrong with a review that cannot be answered. The server makes an HTTP status of the code.

export type ReviewErrorCode =
  | 'empty-body'
  | 'not-json'
  | 'too-deep'
  | 'too-large'
  | 'content-type'
  | 'content-encoding'
  | 'not-a-review'
  | 'unsupported-version'
  | 'no-uid'
  | 'no-object';

export class ReviewError extends Error {
  override readonly name = 'ReviewError';
  readonly code: ReviewErrorCode;

  constructor(code: ReviewErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
