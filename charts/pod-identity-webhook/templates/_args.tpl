{{/* The program's arguments: each flag stands beside the value that it comes from. */}}

{{- define "pod-identity-webhook.credentialsConfigMap" -}}
{{- default (include "pod-identity-webhook.suffixed" (dict "context" . "suffix" "container-credentials")) .Values.containerCredentials.configMapName }}
{{- end }}

{{- define "pod-identity-webhook.hasCredentialsFile" -}}
{{- if or .Values.containerCredentials.identities .Values.containerCredentials.configMapName }}true{{ end }}
{{- end }}

{{- define "pod-identity-webhook.audits" -}}
{{- if not (regexMatch "^(0[a-z]*)+$" .Values.audit.interval) }}true{{ end }}
{{- end }}

{{- define "pod-identity-webhook.regionalSts" -}}
{{- $wanted := .Values.aws.stsRegionalEndpoint }}
{{- if or (eq (toString $wanted) "true") (and (eq (toString $wanted) "auto") .Values.aws.region) }}true{{ end }}
{{- end }}

{{- define "pod-identity-webhook.args" -}}
{{- $tls := .Values.tls -}}
- serve
- --port={{ .Values.server.port }}
- --metrics-port={{ .Values.server.metricsPort }}
{{- with .Values.server.bindAddress }}
- --bind-address={{ . }}
{{- end }}
- --service-name={{ include "pod-identity-webhook.fullname" . }}
- --namespace={{ include "pod-identity-webhook.namespace" . }}
{{- if eq $tls.mode "self-signed" }}
- --tls-mode=self-signed
- --tls-secret={{ include "pod-identity-webhook.selfSignedSecret" . }}
- --webhook-configuration={{ include "pod-identity-webhook.configurationName" . }}
- --tls-ca-lifetime={{ $tls.selfSigned.caLifetime }}
- --tls-leaf-lifetime={{ $tls.selfSigned.leafLifetime }}
{{- else }}
- --tls-mode=files
- --tls-cert=/etc/webhook/certs/{{ include "pod-identity-webhook.certKey" . }}
- --tls-key=/etc/webhook/certs/{{ include "pod-identity-webhook.keyKey" . }}
{{- end }}
- --tls-min-version={{ $tls.minVersion }}
{{- with $tls.cipherSuites }}
- --tls-cipher-suites={{ join "," . }}
{{- end }}
{{- if $tls.clientCa.configMapName }}
- --client-ca-file=/etc/webhook/client-ca/{{ $tls.clientCa.key }}
{{- with $tls.clientCa.names }}
- --client-names={{ join "," . }}
{{- end }}
{{- end }}
{{- with .Values.kubernetes.kubeconfig }}
- --kubeconfig={{ . }}
{{- end }}
{{- with .Values.kubernetes.apiServer }}
- --kube-api={{ . }}
{{- end }}
- --service-account-lookup-grace-period={{ .Values.kubernetes.serviceAccountLookupGracePeriod }}
- --annotation-prefix={{ .Values.annotationPrefix }}
{{- include "pod-identity-webhook.injectionArgs" . }}
{{- include "pod-identity-webhook.sourceArgs" . }}
{{- if .Values.shadow }}
- --shadow
{{- end }}
- --shutdown-delay={{ .Values.server.shutdownDelaySeconds }}s
{{- if include "pod-identity-webhook.audits" . }}
- --audit-interval={{ .Values.audit.interval }}
{{- end }}
- --resync-period={{ .Values.server.resyncPeriod }}
- --log-level={{ .Values.logging.level }}
- --log-format={{ .Values.logging.format }}
{{- if .Values.server.debuggingHandlers }}
- --enable-debugging-handlers
{{- end }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "pod-identity-webhook.injectionArgs" }}
- --token-audience={{ .Values.token.audience }}
- --token-mount-path={{ .Values.token.mountPath }}
- --token-expiration={{ int64 .Values.token.expirationSeconds }}
{{- if .Values.token.expirationJitter }}
- --token-expiration-jitter
{{- end }}
{{- with .Values.aws.region }}
- --aws-default-region={{ . }}
{{- end }}
{{- if include "pod-identity-webhook.regionalSts" . }}
- --sts-regional-endpoint
{{- end }}
{{- if .Values.aws.composeRoleArn }}
- --compose-role-arn
{{- end }}
{{- with .Values.aws.accountId }}
- --aws-account-id={{ . }}
{{- end }}
{{- with .Values.aws.partition }}
- --aws-partition={{ . }}
{{- end }}
{{- if .Values.aws.mirrorRegion }}
- --mirror-region
{{- end }}
{{- if .Values.aws.regionWithoutRole }}
- --region-without-role
{{- end }}
- --imds-endpoint={{ .Values.aws.imdsEndpoint }}
{{- if .Values.injection.allowInvalidRoleArn }}
- --allow-invalid-role-arn
{{- end }}
{{- if .Values.injection.roleSessionName }}
- --role-session-name
{{- end }}
{{- if .Values.injection.variablesFirst }}
- --variables-first
{{- end }}
{{- end }}

{{- define "pod-identity-webhook.sourceArgs" }}
{{- if .Values.roleConfigMap.enabled }}
- --watch-config-map
{{- end }}
{{- if .Values.namespacePolicy }}
- --namespace-policy
{{- end }}
{{- if include "pod-identity-webhook.hasCredentialsFile" . }}
- --watch-container-credentials-config=/etc/pod-identity-webhook/container-credentials/{{ .Values.containerCredentials.configMapKey }}
{{- end }}
- --container-credentials-audience={{ .Values.containerCredentials.audience }}
- --container-credentials-token-mount-path={{ .Values.containerCredentials.tokenMountPath }}
- --container-credentials-token-volume-name={{ .Values.containerCredentials.tokenVolumeName }}
- --container-credentials-token-path={{ .Values.containerCredentials.tokenPath }}
- --container-credentials-full-uri={{ .Values.containerCredentials.fullUri }}
{{- end }}

{{- define "pod-identity-webhook.certKey" -}}
{{- ternary .Values.tls.existingSecret.certKey "tls.crt" (eq .Values.tls.mode "existing-secret") }}
{{- end }}
{{- define "pod-identity-webhook.keyKey" -}}
{{- ternary .Values.tls.existingSecret.keyKey "tls.key" (eq .Values.tls.mode "existing-secret") }}
{{- end }}
