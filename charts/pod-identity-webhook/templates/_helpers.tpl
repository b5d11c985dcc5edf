{{/* Names, labels and references: each is made here once. */}}

{{- define "pod-identity-webhook.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "pod-identity-webhook.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- $name := include "pod-identity-webhook.name" . }}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Of everything that is derived from the full name: 63 characters are the most that a Service may have. */}}
{{- define "pod-identity-webhook.suffixed" -}}
{{- printf "%s-%s" (include "pod-identity-webhook.fullname" .context | trunc (int (sub 62 (len .suffix))) | trimSuffix "-") .suffix }}
{{- end }}

{{- define "pod-identity-webhook.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{/* Of objects without namespace: two releases of one name in two namespaces do not meet. */}}
{{- define "pod-identity-webhook.clusterName" -}}
{{- printf "%s.%s" (include "pod-identity-webhook.fullname" .) (include "pod-identity-webhook.namespace" .) }}
{{- end }}

{{- define "pod-identity-webhook.configurationName" -}}
{{- default (include "pod-identity-webhook.clusterName" .) .Values.webhook.configurationName }}
{{- end }}

{{- define "pod-identity-webhook.serviceAccountName" -}}
{{- default (include "pod-identity-webhook.fullname" .) .Values.serviceAccount.name }}
{{- end }}

{{- define "pod-identity-webhook.selfSignedSecret" -}}
{{- default (include "pod-identity-webhook.suffixed" (dict "context" . "suffix" "self-signed")) .Values.tls.selfSigned.secretName }}
{{- end }}

{{/* The Secret that is mounted; none in self-signed mode. */}}
{{- define "pod-identity-webhook.mountedSecret" -}}
{{- if eq .Values.tls.mode "existing-secret" }}
{{- default (include "pod-identity-webhook.suffixed" (dict "context" . "suffix" "tls")) .Values.tls.existingSecret.name }}
{{- else if eq .Values.tls.mode "cert-manager" }}
{{- include "pod-identity-webhook.suffixed" (dict "context" . "suffix" "tls") }}
{{- end }}
{{- end }}

{{- define "pod-identity-webhook.image" -}}
{{- $image := .Values.image }}
{{- $name := printf "%s/%s" (default $image.registry .Values.global.imageRegistry) $image.repository }}
{{- if $image.digest }}
{{- printf "%s@%s" $name $image.digest }}
{{- else }}
{{- printf "%s:%s" $name (default .Chart.AppVersion $image.tag) }}
{{- end }}
{{- end }}

{{- define "pod-identity-webhook.imagePullSecrets" -}}
{{- $secrets := list }}
{{- range concat .Values.global.imagePullSecrets .Values.imagePullSecrets }}
{{- $secrets = append $secrets (ternary (dict "name" .) . (kindIs "string" .)) }}
{{- end }}
{{- with $secrets }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{- define "pod-identity-webhook.selectorLabels" -}}
app.kubernetes.io/name: {{ include "pod-identity-webhook.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: webhook
{{- end }}

{{- define "pod-identity-webhook.labels" -}}
{{- include "pod-identity-webhook.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* metadata.labels and metadata.annotations of an object: context, and its own labels and annotations. Ours win: the
Service finds its pods by them. */}}
{{- define "pod-identity-webhook.metadata" -}}
{{- $ours := fromYaml (include "pod-identity-webhook.labels" .context) -}}
labels:
  {{- toYaml (merge (dict) $ours (default dict .labels) .context.Values.commonLabels) | nindent 2 }}
{{- with merge (dict) (default dict .annotations) .context.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* As metadata, for helm test: another component, so that the Service does not send reviews to it. */}}
{{- define "pod-identity-webhook.checkMetadata" -}}
{{- $labels := dict "app.kubernetes.io/name" (printf "%s-check" (include "pod-identity-webhook.name" .context) | trunc 63) "app.kubernetes.io/component" "check" }}
{{- $ours := merge $labels (fromYaml (include "pod-identity-webhook.labels" .context)) -}}
labels:
  {{- toYaml (merge (dict) $ours .context.Values.commonLabels) | nindent 2 }}
annotations:
  {{- toYaml (merge (dict) .annotations .context.Values.commonAnnotations) | nindent 2 }}
{{- end }}
