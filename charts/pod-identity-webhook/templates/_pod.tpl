{{/* The pod of the Deployment. */}}

{{- define "pod-identity-webhook.podSpec" -}}
serviceAccountName: {{ include "pod-identity-webhook.serviceAccountName" . }}
automountServiceAccountToken: {{ .Values.serviceAccount.automount }}
# A Service of this name would set POD_IDENTITY_WEBHOOK_PORT and the like, which are flags.
enableServiceLinks: false
{{- with include "pod-identity-webhook.imagePullSecrets" . }}
imagePullSecrets:
  {{- . | nindent 2 }}
{{- end }}
{{- with .Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- if not (kindIs "invalid" .Values.hostUsers) }}
hostUsers: {{ .Values.hostUsers }}
{{- end }}
{{- if .Values.hostNetwork }}
hostNetwork: true
{{- end }}
{{- with default (ternary "ClusterFirstWithHostNet" "" .Values.hostNetwork) .Values.dnsPolicy }}
dnsPolicy: {{ . }}
{{- end }}
{{- with .Values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range . }}
  {{- $own := dict "labelSelector" (dict "matchLabels" (fromYaml (include "pod-identity-webhook.selectorLabels" $))) }}
  {{- if not .labelSelector }}
  {{- $own = merge $own (dict "matchLabelKeys" (list "pod-template-hash")) }}
  {{- end }}
  - {{ toYaml (merge (dict) . $own) | nindent 4 | trim }}
  {{- end }}
{{- end }}
containers:
  - name: webhook
    image: {{ include "pod-identity-webhook.image" . }}
    imagePullPolicy: {{ .Values.image.pullPolicy }}
    args:
      {{- include "pod-identity-webhook.args" . | nindent 6 }}
    env:
      - name: POD_IDENTITY_WEBHOOK_POD_REGION
        valueFrom:
          fieldRef:
            fieldPath: metadata.labels['topology.kubernetes.io/region']
      {{- with .Values.extraEnv }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- with .Values.extraEnvFrom }}
    envFrom:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    ports:
      - name: https
        containerPort: {{ .Values.server.port }}
        protocol: TCP
      - name: metrics
        containerPort: {{ .Values.server.metricsPort }}
        protocol: TCP
    {{- range $probe, $path := dict "startupProbe" "/livez" "livenessProbe" "/livez" "readinessProbe" "/readyz" }}
    {{ $probe }}:
      httpGet:
        path: {{ $path }}
        port: metrics
      {{- toYaml (get $.Values $probe) | nindent 6 }}
    {{- end }}
    {{- with .Values.resources }}
    resources:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with .Values.securityContext }}
    securityContext:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with include "pod-identity-webhook.volumeMounts" . | trim }}
    volumeMounts:
      {{- . | nindent 6 }}
    {{- end }}
  {{- with .Values.extraContainers }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with include "pod-identity-webhook.volumes" . | trim }}
volumes:
  {{- . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "pod-identity-webhook.volumeMounts" -}}
{{- if include "pod-identity-webhook.mountedSecret" . }}
- name: certificate
  mountPath: /etc/webhook/certs
  readOnly: true
{{- end }}
{{- if .Values.tls.clientCa.configMapName }}
- name: client-ca
  mountPath: /etc/webhook/client-ca
  readOnly: true
{{- end }}
{{- if include "pod-identity-webhook.hasCredentialsFile" . }}
- name: container-credentials
  mountPath: /etc/pod-identity-webhook/container-credentials
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "pod-identity-webhook.volumes" -}}
{{- with include "pod-identity-webhook.mountedSecret" . }}
- name: certificate
  secret:
    secretName: {{ . }}
{{- end }}
{{- with .Values.tls.clientCa.configMapName }}
- name: client-ca
  configMap:
    name: {{ . }}
{{- end }}
{{- if include "pod-identity-webhook.hasCredentialsFile" . }}
- name: container-credentials
  configMap:
    name: {{ include "pod-identity-webhook.credentialsConfigMap" . }}
    # The file may come later than the pod; an absent one is empty.
    optional: true
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
