// How a call to the cluster fails: one class, compared by its code. An answer of the API server that is no success
// carries the server's status and its Retry-After.
export type KubeErrorCode =
  | 'no-cluster'
  | 'bad-kubeconfig'
  /** Certificate, key or token could not be read. */
  | 'credentials'
  /** Refused, reset, no route, an untrusted certificate: the cause has Node's code. */
  | 'connection'
  /** The connection stands and no byte came in time. */
  | 'silent'
  /** Something came that is not what the Kubernetes API says. */
  | 'garbage'
  /** The API server said no; `status` has its number. */
  | 'refused'
  /** The same by an ERROR event in the middle of a watch. */
  | 'error-event'
  /** The server took the question for a streaming list as one for a plain watch. */
  | 'no-streaming-list'
  /** resourceVersions went backwards: the cluster's store was restored from a backup. */
  | 'rewound';

interface KubeErrorOptions {
  readonly code: KubeErrorCode;
  readonly cause?: unknown;
  readonly status?: number;
  readonly retryAfterSeconds?: number | undefined;
}

export class KubeError extends Error {
  readonly code: KubeErrorCode;
  readonly status: number | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, options: KubeErrorOptions) {
    super(message, { cause: options.cause });
    this.name = 'KubeError';
    this.code = options.code;
    this.status = options.status;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** One of few words, for the label of a metric. */
export function causeOf(error: unknown): string {
  if (error === undefined) return 'ended-early';
  if (!(error instanceof KubeError)) return 'unexpected';
  const { code, status = 0 } = error;
  return status >= 400 && status < 600 ? `${code}-${status}` : code;
}

/** The API server knows us, and we lack the right. */
export function isForbidden(error: unknown): boolean {
  return error instanceof KubeError && error.status === 403;
}
