// What the flags say about injection, in the units of the flags. Built once at start; every pod is decided by it.

export interface Settings {
  /** Domain of all annotations, without the slash. */
  readonly annotationPrefix: string;
  readonly tokenAudience: string;
  /** Directory in the container, without trailing slash. */
  readonly tokenMountPath: string;
  /** 600 to 2^32 (Kubernetes' validation of serviceAccountToken projections). */
  readonly tokenExpirationSeconds: number;
  /** Spread an expiration of exactly a day also for web identity. */
  readonly jitteredExpiration: boolean;
  /** The region becomes known only at run time. */
  readonly regionFromSurroundings: boolean;
  readonly regionalSts: boolean;
  /** Inject role ARNs that IAM would refuse, as amazon-eks-pod-identity-webhook does. */
  readonly allowInvalidRoleArn: boolean;
  /** A role may be written as path and name. */
  readonly composeRoleArn: boolean;
  /** Give the missing one of AWS_REGION and AWS_DEFAULT_REGION the literal value of the other. */
  readonly mirroredRegion: boolean;
  /** Give pods without a role the region. */
  readonly regionWithoutRole: boolean;
  /** Set AWS_ROLE_SESSION_NAME to the pod's name where the ServiceAccount does not say otherwise. */
  readonly roleSessionName: boolean;
  /** Put the variables before the container's own, so that `$(AWS_ROLE_ARN)` resolves in these. */
  readonly variablesFirst: boolean;
  readonly containerCredentials: ContainerCredentialsSettings;
}

/** How SDKs reach the EKS Pod Identity agent. */
export interface ContainerCredentialsSettings {
  readonly audience: string;
  /** Directory in the container, without trailing slash. */
  readonly mountPath: string;
  readonly volumeName: string;
  /** File name in the volume. */
  readonly tokenPath: string;
  readonly fullUri: string;
}

/** What is known of the AWS account and region around the cluster; it may become known later than the flags. */
export interface Surroundings {
  readonly region?: string;
  readonly accountId?: string;
  readonly partition?: string;
}
