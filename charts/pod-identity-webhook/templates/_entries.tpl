{{/* The entries of the webhook configuration. Their selectors are disjoint and leave out our own pods; together they are
all other pods. A pod asks by its own label anywhere; a namespace asks for its pods, but kube-system and our own never:
a webhook that is down must not keep itself or the cluster down. */}}

{{- define "pod-identity-webhook.requiredLabel" -}}eks.amazonaws.com/pod-identity-required{{- end }}

{{- define "pod-identity-webhook.entries" -}}
{{- $nameKey := "kubernetes.io/metadata.name" }}
{{- $label := include "pod-identity-webhook.requiredLabel" . }}
{{- $system := list "kube-system" (include "pod-identity-webhook.namespace" .) | uniq }}
{{- $marked := dict "key" $label "operator" "In" "values" (list "true") }}
{{- $unmarked := dict "key" $label "operator" "NotIn" "values" (list "true") }}
{{- $inSystem := dict "key" $nameKey "operator" "In" "values" $system }}
{{- $notInSystem := dict "key" $nameKey "operator" "NotIn" "values" $system }}
{{- $entries := list }}
{{- if .Values.shadow }}
{{- $entries = list (dict "name" "fail-open" "policy" "Ignore" "optOut" false) }}
{{- else }}
{{- $entries = list (dict "name" "fail-closed" "policy" "Fail" "optOut" false "pod" $marked) }}
{{- if eq .Values.webhook.failurePolicy "Fail" }}
{{- $entries = append $entries (dict "name" "fail-closed-unlabelled" "policy" "Fail" "optOut" true "pod" $unmarked "namespaces" (list $notInSystem)) }}
{{- $entries = append $entries (dict "name" "fail-open-system" "policy" "Ignore" "optOut" true "pod" $unmarked "namespaces" (list $inSystem)) }}
{{- else }}
{{- $entries = append $entries (dict "name" "fail-closed-namespace" "policy" "Fail" "optOut" true "pod" $unmarked "namespaces" (list $marked $notInSystem)) }}
{{- $entries = append $entries (dict "name" "fail-open" "policy" "Ignore" "optOut" true "pod" $unmarked "namespaces" (list $unmarked)) }}
{{- $entries = append $entries (dict "name" "fail-open-system" "policy" "Ignore" "optOut" true "pod" $unmarked "namespaces" (list $marked $inSystem)) }}
{{- end }}
{{- end }}
{{- range $index, $entry := $entries }}
{{- if $index }}{{ "\n" }}{{ end }}
{{- include "pod-identity-webhook.entry" (dict "context" $ "entry" $entry) }}
{{- end }}
{{- end }}

{{- define "pod-identity-webhook.entry" -}}
{{- $webhook := .context.Values.webhook }}
{{- $tls := .context.Values.tls }}
{{- $namespaces := default list .entry.namespaces }}
{{- with $webhook.excludedNamespaces }}
{{- $namespaces = append $namespaces (dict "key" "kubernetes.io/metadata.name" "operator" "NotIn" "values" .) }}
{{- end }}
{{- $pods := list (dict "key" "app.kubernetes.io/name" "operator" "NotIn" "values" (list (include "pod-identity-webhook.name" .context))) }}
{{- with .entry.pod }}
{{- $pods = prepend $pods . }}
{{- end -}}
- name: {{ .entry.name }}.{{ include "pod-identity-webhook.clusterName" .context }}
  clientConfig:
    service:
      name: {{ include "pod-identity-webhook.fullname" .context }}
      namespace: {{ include "pod-identity-webhook.namespace" .context }}
      path: /mutate
      port: {{ .context.Values.service.port }}
    {{- if eq $tls.mode "existing-secret" }}
    {{- with $tls.existingSecret.caBundle }}
    caBundle: {{ . }}
    {{- end }}
    {{- end }}
  rules:
    - operations: [CREATE]
      apiGroups: [""]
      apiVersions: [v1]
      resources: [pods]
      scope: Namespaced
  failurePolicy: {{ .entry.policy }}
  matchPolicy: {{ $webhook.matchPolicy }}
  {{- with include "pod-identity-webhook.selector" (dict "user" $webhook.namespaceSelector "ours" $namespaces) }}
  namespaceSelector:
    {{- . | nindent 4 }}
  {{- end }}
  objectSelector:
    {{- include "pod-identity-webhook.selector" (dict "user" $webhook.objectSelector "ours" $pods) | nindent 4 }}
  sideEffects: {{ $webhook.sideEffects }}
  timeoutSeconds: {{ $webhook.timeoutSeconds }}
  admissionReviewVersions: {{ toJson $webhook.admissionReviewVersions }}
  reinvocationPolicy: {{ $webhook.reinvocationPolicy }}
  matchConditions:
    # Static pods: the kubelet runs them already, and what is here is their picture.
    - name: not-a-mirror-pod
      expression: "!has(object.metadata.annotations) || !('kubernetes.io/config.mirror' in object.metadata.annotations)"
    {{- if .entry.optOut }}
    - name: not-opted-out
      expression: "!has(object.metadata.labels) || !('eks.amazonaws.com/skip-pod-identity-webhook' in object.metadata.labels)"
    {{- end }}
    {{- with $webhook.matchConditions }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{- define "pod-identity-webhook.selector" -}}
{{- $selector := dict }}
{{- with .user.matchLabels }}
{{- $selector = set $selector "matchLabels" . }}
{{- end }}
{{- with concat .ours (default list .user.matchExpressions) }}
{{- $selector = set $selector "matchExpressions" . }}
{{- end }}
{{- with $selector }}
{{- toYaml . }}
{{- end }}
{{- end }}
