// What to tell people whose error begins in the pod, its SDK, its node or the webhook.
import type { IamCauseId, Adviser } from './advice-iam.ts';
import type { CauseId } from './cause.ts';

const RESTART = 'kubectl rollout restart deployment NAME';

export const POD_ADVICE: Readonly<Record<Exclude<CauseId, IamCauseId>, Adviser>> = {
  'token-expired': ({ namespace, tokenFile }) => ({
    why: 'the SDK keeps an old token or session, the kubelet cannot renew the token, or a clock is wrong',
    check: `kubectl exec POD -n ${namespace} -- cut -d. -f2 ${tokenFile} | base64 -d; date +%s\n# exp must be in the future: if it is, the program keeps an old copy, if not, look at the log of the kubelet and the clock of the node`,
    fix: `${RESTART} -n ${namespace}\n# for now, then update the SDK so that it reads the file at each refresh, and do not copy the token`,
  }),
  'token-file-permission': ({ namespace, tokenFile }) => ({
    why: "the container's user may not read the token file: it is 0600 of root before Kubernetes 1.19 and where the volume's defaultMode says so, unless there is an fsGroup or one runAsUser for all containers",
    check: `kubectl exec POD -n ${namespace} -- sh -c 'id; ls -lnL ${tokenFile}'`,
    fix: `kubectl patch deployment NAME -n ${namespace} -p '{"spec":{"template":{"spec":{"securityContext":{"fsGroup":65534}}}}}'\n# or remove defaultMode from the volume`,
  }),
  'token-file-missing': ({ namespace, tokenFile }) => ({
    why: 'the variable names a token file that the container does not have: the volume or its mount is missing, or the variables were copied by hand',
    check: `kubectl get pod POD -n ${namespace} -o jsonpath='{.spec.volumes[*].name}{"\\n"}{.spec.containers[*].volumeMounts}'\n# want aws-iam-token, mounted at ${tokenFile.replace(/\/[^/]*$/, '')}`,
    fix: `kubectl set env deployment NAME -n ${namespace} AWS_ROLE_ARN- AWS_WEB_IDENTITY_TOKEN_FILE-\n# without them in the template the webhook adds them, with the volume`,
  }),
  'pod-not-mutated': ({ namespace, serviceAccount }) => ({
    why: 'no source of credentials was found: the pod has no AWS variables, because it is older than the annotation, runs as another ServiceAccount, opted out, or the webhook was not there',
    check: `kubectl get pod POD -n ${namespace} -o yaml | grep -A1 AWS_; kubectl get serviceaccounts,pods -n ${namespace} -o yaml --show-managed-fields > stored.yaml; pod-identity-webhook diagnose manifests -f stored.yaml`,
    fix: `kubectl annotate serviceaccount ${serviceAccount} -n ${namespace} eks.amazonaws.com/role-arn=ARN && ${RESTART} -n ${namespace}\n# the account that the pod runs as`,
  }),
  'sdk-too-old': ({ namespace }) => ({
    why: 'the SDK in the image does not know this way to credentials: it is too old, or lacks the module for STS',
    check: `kubectl get pod POD -n ${namespace} -o yaml | grep AWS_\n# shows the variables although the SDK finds nothing: print its version. Web identity: Java v2 2.10.11, v1 1.11.704, Go v1 1.23.13, boto3 1.9.220, CLI 1.16.232, JS v3 3.27.0, v2 2.525.0, .NET 3.3.659.1, PHP 3.110.7. EKS Pod Identity: Java v2 2.21.30, v1 1.12.746, Go v1 1.47.11, Go v2 of 2023-11-14, boto3 1.34.41, CLI 2.15.0, JS v3 3.458.0`,
    fix: `kubectl set image deployment NAME -n ${namespace} CONTAINER=IMAGE\n# one with a newer SDK, for Java v2 with software.amazon.awssdk:sts on the class path, for v1 with aws-java-sdk-sts`,
  }),
  'static-keys-win': ({ namespace }) => ({
    why: 'the program uses keys or a profile of its own, which beat the identity of the ServiceAccount in every SDK',
    check: `kubectl exec POD -n ${namespace} -- sh -c 'env | grep -oE "^AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|PROFILE|SHARED_CREDENTIALS_FILE)"; ls ~/.aws'`,
    fix: `kubectl set env deployment NAME -n ${namespace} AWS_ACCESS_KEY_ID- AWS_SECRET_ACCESS_KEY- AWS_SESSION_TOKEN- AWS_PROFILE-\n# remove them also from envFrom, the mounted Secret and the configuration of the program`,
  }),
  'node-role-fallback': ({ namespace }) => ({
    why: 'the call was made with the role of the node: the SDK found no identity in the pod and asked the instance metadata',
    check: `kubectl exec POD -n ${namespace} -- sh -c 'env | grep AWS_'\n# without AWS_WEB_IDENTITY_TOKEN_FILE the pod was not mutated, with it the SDK is too old or told to use something else`,
    fix: `${RESTART} -n ${namespace}\n# with its ServiceAccount annotated, and keep pods from the role of the node by aws ec2 modify-instance-metadata-options --http-put-response-hop-limit 1 --http-tokens required --instance-id INSTANCE`,
  }),
  'region-missing': ({ namespace, region }) => ({
    why: 'the SDK does not know which region to call, or the one it takes is wrong; no single variable serves all of them',
    check: `kubectl exec POD -n ${namespace} -- sh -c 'env | grep -E "AWS_(DEFAULT_)?REGION"'\n# both must be set`,
    fix: `kubectl set env deployment NAME -n ${namespace} AWS_REGION=${region} AWS_DEFAULT_REGION=${region}\n# or start the webhook with --aws-default-region=${region} and create the pods again`,
  }),
  throttled: ({ accountId }) => ({
    why: 'the account makes more calls than AWS takes; many pods that start at once do that to STS',
    check: `aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=AssumeRoleWithWebIdentity\n# as account ${accountId}`,
    fix: 'kubectl set env deployment NAME AWS_STS_REGIONAL_ENDPOINTS=regional AWS_RETRY_MODE=adaptive\n# and keep one client per process, so that sessions are reused',
  }),
  'network-to-sts': ({ namespace, region, partition, stsHost }) => ({
    why: 'the pod cannot reach STS: name resolution, a NetworkPolicy, proxy or firewall, a private subnet without NAT or VPC endpoint, or an interception of TLS',
    check: `kubectl exec POD -n ${namespace} -- curl -sS -m 5 -o /dev/null -w '%{http_code}' https://${stsHost}\n# a status of any number means that it is reachable`,
    fix: `aws ec2 create-vpc-endpoint --vpc-id VPC --vpc-endpoint-type Interface --service-name ${partition === 'aws-cn' ? 'cn.' : ''}com.amazonaws.${region}.sts --private-dns-enabled --subnet-ids SUBNETS\n# in a private subnet, with AWS_STS_REGIONAL_ENDPOINTS=regional, else allow egress to port 443 and DNS`,
  }),
  'pod-identity-agent': ({ namespace }) => ({
    why: 'EKS Pod Identity failed: the agent of the node is not reachable, or EKS has no association or right for this pod',
    check: `kubectl get pods -n kube-system -l app.kubernetes.io/name=eks-pod-identity-agent -o wide; aws eks list-pod-identity-associations --cluster-name CLUSTER --namespace ${namespace}`,
    fix: 'aws eks create-addon --addon-name eks-pod-identity-agent --cluster-name CLUSTER\n# with eks-auth:AssumeRoleForPodIdentity for the node role, create the association, and put 169.254.170.23 and, in brackets, fd00:ec2::23 into NO_PROXY',
  }),
  'webhook-down': () => ({
    why: 'the API server could not ask the webhook: with failurePolicy Ignore, pods then come up without identity',
    check: 'kubectl get mutatingwebhookconfigurations -o wide; kubectl get pods,endpoints -A | grep pod-identity',
    fix: `${RESTART}\n# for the pods of that time, once the webhook is back: look at its certificate, caBundle, endpoints and the network from the control plane`,
  }),
  unknown: ({ namespace }) => ({
    why: 'no error of AWS identity that is known here',
    check: `kubectl exec POD -n ${namespace} -- env HOME=/tmp/empty aws sts get-caller-identity\n# shows as whom the pod calls, as the CLI keeps sessions in its home`,
    fix: `kubectl logs POD -n ${namespace} | pod-identity-webhook diagnose error -\n# the whole message, with the lines that say caused by`,
  }),
};
