{{/* What values.schema.json cannot say: values that do not fit together, each with what to set. */}}

{{- define "pod-identity-webhook.validate" -}}
{{- $tls := .Values.tls }}
{{- $existing := $tls.existingSecret }}
{{- if eq (include "pod-identity-webhook.configurationName" .) "pod-identity-webhook" }}
{{- fail "webhook.configurationName: \"pod-identity-webhook\" is the name of EKS's own configuration, which must not be touched; leave it empty, or choose another name" }}
{{- end }}
{{- if and (eq $tls.mode "existing-secret") (not $existing.name) (not $existing.openshiftServiceCa) }}
{{- fail "tls.mode: \"existing-secret\" needs tls.existingSecret.name, or tls.existingSecret.openshiftServiceCa=true" }}
{{- end }}
{{- if eq $tls.mode "existing-secret" }}
{{- include "pod-identity-webhook.validateCaBundle" . }}
{{- else if or $existing.name $existing.caBundle $existing.openshiftServiceCa }}
{{- fail (printf "tls.mode: %q does not use tls.existingSecret; set tls.mode=existing-secret, or leave tls.existingSecret alone" $tls.mode) }}
{{- end }}
{{- if and $tls.certManager.issuerRef (ne $tls.mode "cert-manager") }}
{{- fail (printf "tls.mode: %q does not use tls.certManager.issuerRef; set tls.mode=cert-manager, or leave it empty" $tls.mode) }}
{{- end }}
{{- if and $tls.selfSigned.secretName (ne $tls.mode "self-signed") }}
{{- fail (printf "tls.mode: %q does not use tls.selfSigned.secretName; set tls.mode=self-signed, or leave it empty" $tls.mode) }}
{{- end }}
{{- if and $tls.clientCa.names (not $tls.clientCa.configMapName) }}
{{- fail "tls.clientCa.names: works only together with tls.clientCa.configMapName" }}
{{- end }}
{{- if and (eq $tls.minVersion "1.3") $tls.cipherSuites }}
{{- range $tls.cipherSuites }}
{{- if not (hasPrefix "TLS_AES_" . | or (hasPrefix "TLS_CHACHA20_" .)) }}
{{- fail (printf "tls.cipherSuites: %q is a suite of TLS 1.2; set tls.minVersion=\"1.2\", or leave it out" .) }}
{{- end }}
{{- end }}
{{- end }}
{{- include "pod-identity-webhook.validatePods" . }}
{{- include "pod-identity-webhook.validateSources" . }}
{{- end }}

{{- define "pod-identity-webhook.validateCaBundle" -}}
{{- $existing := .Values.tls.existingSecret }}
{{- $injected := or $existing.openshiftServiceCa (hasKey .Values.webhook.annotations "cert-manager.io/inject-ca-from") (hasKey .Values.webhook.annotations "cert-manager.io/inject-ca-from-secret") (hasKey .Values.webhook.annotations "service.beta.openshift.io/inject-cabundle") }}
{{- if and $existing.caBundle $injected }}
{{- fail "tls.existingSecret.caBundle: the CA is injected by an annotation already; leave one of the two out" }}
{{- end }}
{{- if not (or $existing.caBundle $injected) }}
{{- fail "tls.existingSecret.caBundle: the API server needs the CA of the certificate; set it to the CA's PEM in base64, or have it injected by cert-manager.io/inject-ca-from-secret in webhook.annotations" }}
{{- end }}
{{- if $existing.caBundle }}
{{- $pem := b64dec $existing.caBundle }}
{{- if contains "PRIVATE KEY" $pem }}
{{- fail "tls.existingSecret.caBundle: is a private key; set it to the CA's certificate (PEM) in base64, and replace that key" }}
{{- end }}
{{- if not (contains "-----BEGIN CERTIFICATE-----" $pem) }}
{{- fail "tls.existingSecret.caBundle: is no certificate; set it to the CA's PEM in base64, as base64 -w0 ca.crt prints it" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "pod-identity-webhook.validatePods" -}}
{{- $budget := .Values.podDisruptionBudget }}
{{- if and (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) }}
{{- fail "serviceAccount.create: false needs serviceAccount.name, the ServiceAccount to use" }}
{{- end }}
{{- if eq (int .Values.server.port) (int .Values.server.metricsPort) }}
{{- fail (printf "server.port: %d is server.metricsPort, too; set two different ports" (int .Values.server.port)) }}
{{- end }}
{{- if eq (int .Values.service.port) (int .Values.service.metricsPort) }}
{{- fail (printf "service.port: %d is service.metricsPort, too; set two different ports" (int .Values.service.port)) }}
{{- end }}
{{- if lt (int .Values.terminationGracePeriodSeconds) (add 10 (int .Values.server.shutdownDelaySeconds)) }}
{{- fail (printf "terminationGracePeriodSeconds: %d is too short for server.shutdownDelaySeconds=%d and what is in flight then; set at least %d" (int .Values.terminationGracePeriodSeconds) (int .Values.server.shutdownDelaySeconds) (add 10 (int .Values.server.shutdownDelaySeconds))) }}
{{- end }}
{{- if and $budget.enabled (not (kindIs "invalid" $budget.minAvailable)) (not (kindIs "invalid" $budget.maxUnavailable)) }}
{{- fail "podDisruptionBudget: minAvailable and maxUnavailable exclude each other; set one of them to null" }}
{{- end }}
{{- if and .Values.hostNetwork (eq .Values.dnsPolicy "ClusterFirst") }}
{{- fail "dnsPolicy: \"ClusterFirst\" does not resolve the cluster's names with hostNetwork=true; leave it empty, or set ClusterFirstWithHostNet" }}
{{- end }}
{{- if and .Values.hostNetwork (eq (toString .Values.hostUsers) "false") }}
{{- fail "hostUsers: false is not possible with hostNetwork=true; leave one of the two out" }}
{{- end }}
{{- /* A pod of its own network may lower net.ipv4.ip_unprivileged_port_start; the node's is the node's. */}}
{{- if and .Values.hostNetwork (ne (toString (default dict .Values.podSecurityContext).runAsUser) "0") }}
{{- range $name := list "port" "metricsPort" }}
{{- if lt (int (index $.Values.server $name)) 1024 }}
{{- fail (printf "server.%s: %d is reserved for root in the node's network, and hostNetwork=true puts the webhook there; set a port from 1024 on" $name (int (index $.Values.server $name))) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $key := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" }}
{{- range $place, $labels := dict "podLabels" $.Values.podLabels "commonLabels" $.Values.commonLabels }}
{{- if hasKey $labels $key }}
{{- fail (printf "%s: %q is the chart's own, by which Service and webhook configuration know the pods; use another key, or nameOverride" $place $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.metrics.serviceMonitor.enabled .Values.metrics.podMonitor.enabled }}
{{- fail "metrics: serviceMonitor and podMonitor would scrape every pod twice; enable one of them" }}
{{- end }}
{{- $alerts := list }}
{{- range fromYamlArray (.Files.Get "files/alerts.yaml") }}
{{- $alerts = append $alerts .alert }}
{{- end }}
{{- range .Values.metrics.prometheusRule.disabled }}
{{- if not (has . $alerts) }}
{{- fail (printf "metrics.prometheusRule.disabled: %q is no alert of this chart; want some of %s" . (join ", " $alerts)) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "pod-identity-webhook.validateSources" -}}
{{- $credentials := .Values.containerCredentials }}
{{- if and $credentials.identities $credentials.configMapName }}
{{- fail "containerCredentials: identities and configMapName exclude each other; leave one of them empty" }}
{{- end }}
{{- if and .Values.roleConfigMap.entries (not .Values.roleConfigMap.enabled) }}
{{- fail "roleConfigMap.entries: are not read; set roleConfigMap.enabled=true" }}
{{- end }}
{{- if and (or .Values.aws.accountId .Values.aws.partition) (not .Values.aws.composeRoleArn) }}
{{- fail "aws.accountId, aws.partition: are not used; set aws.composeRoleArn=true" }}
{{- end }}
{{- if and .Values.shadow (eq .Values.webhook.failurePolicy "Fail") }}
{{- fail "webhook.failurePolicy: a shadow never refuses a pod; set shadow=false, or leave failurePolicy at Ignore" }}
{{- end }}
{{- end }}
