{{/* What values.schema.json cannot say: values that do not fit together, each with what to set. */}}

{{- define "pod-identity-webhook.validate" -}}
{{- end }}
