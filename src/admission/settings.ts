// What the flags say about injection, in the units of the flags. Built once at start; every pod is decided by it.

export interface Settings {
  /** Domain of all annotations, without the slash. */
  readonly annotationPrefix: string;
  readonly tokenAudience: string;
  /** Directory in the container, without trailing slash. */
  readonly tokenMountPath: string;
  /** 600 to 2^32 (Kubernetes' validation of serviceAccountToken projections). */
  readonly tokenExpirationSeconds: number;
  /** The region to inject; none is injected where undefined. */
  readonly region: string | undefined;
  readonly regionalSts: boolean;
  /** Inject role ARNs that IAM would refuse, as amazon-eks-pod-identity-webhook does. */
  readonly allowInvalidRoleArn: boolean;
}
