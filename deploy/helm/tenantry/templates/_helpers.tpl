{{- define "tenantry.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- (contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name)) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "tenantry.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tenantry.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "tenantry.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* (root, image of this process): what is not said there is that of all. */}}
{{- define "tenantry.image" -}}
{{- $root := index . 0 -}}{{- $own := index . 1 -}}
{{- $repository := default $root.Values.image.repository $own.repository | required "image.repository is needed: where the image was pushed" -}}
{{- $digest := default (empty $own.tag | ternary $root.Values.image.digest "") $own.digest -}}
{{- $tag := default (default $root.Chart.AppVersion $root.Values.image.tag) $own.tag -}}
{{- if $digest }}{{ printf "%s@%s" $repository $digest }}{{ else }}{{ printf "%s:%s" $repository $tag }}{{ end -}}
{{- end -}}

{{- define "tenantry.secretName" -}}
{{- required "existingSecret is needed: a Secret with DATABASE_URL, TENANTRY_PAYLOAD_KEY and the others (values.yaml)" .Values.existingSecret -}}
{{- end -}}

{{/* (root, names): variables out of the Secret. */}}
{{- define "tenantry.secretEnv" -}}
{{- $root := index . 0 -}}
{{- range index . 1 }}
- name: {{ . }}
  valueFrom: { secretKeyRef: { name: {{ include "tenantry.secretName" $root }}, key: {{ . }} } }
{{- end }}
{{- end -}}

{{/* A map of variables; empty ones are left out. */}}
{{- define "tenantry.env" -}}
{{- range $name, $value := . }}
{{- if ne (toString $value) "" }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Variables of API and workers; (root, own map): the own ones come last and go before. */}}
{{- define "tenantry.processEnv" -}}
{{- $root := index . 0 -}}{{- $own := index . 1 -}}
{{- $temporal := $root.Values.temporal -}}
{{- $common := dict
  "PLATFORM_CONFIG" "/config/platform.json"
  "NODE_EXTRA_CA_CERTS" (empty $root.Values.databaseCa | ternary "" "/config/database-ca.pem")
  "TEMPORAL_ADDRESS" (required "temporal.address is needed: host:port" $temporal.address)
  "TEMPORAL_NAMESPACE" $temporal.namespace
  "TEMPORAL_TLS" (or $temporal.tls $temporal.apiKey $temporal.mtls | ternary "true" "")
  "TEMPORAL_TLS_SERVER_NAME" $temporal.serverName
  "TEMPORAL_TLS_SERVER_CA_CERT_DATA" $temporal.serverCa -}}
{{- include "tenantry.env" (merge (dict) $own $root.Values.env $common) }}
{{- $secrets := list "DATABASE_URL" "TENANTRY_PAYLOAD_KEY" -}}
{{- if $temporal.apiKey }}{{ $secrets = append $secrets "TEMPORAL_API_KEY" }}{{ end -}}
{{- if $temporal.mtls }}{{ $secrets = concat $secrets (list "TEMPORAL_TLS_CLIENT_CERT_DATA" "TEMPORAL_TLS_CLIENT_KEY_DATA") }}{{ end -}}
{{- include "tenantry.secretEnv" (list $root $secrets) }}
{{- end -}}

{{- define "tenantry.workerEnv" -}}
{{- $root := index . 0 -}}{{- $worker := index . 1 -}}
{{- $own := dict
  "AWS_REGION" $root.Values.worker.region
  "TENANTRY_WORKER_HEALTH_PORT" $root.Values.worker.healthPort -}}
{{- include "tenantry.processEnv" (list $root (merge (dict) (default (dict) $worker.env) $own)) }}
{{- include "tenantry.secretEnv" (list $root $root.Values.tenantDatabases) }}
{{- end -}}

{{- define "tenantry.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "tenantry.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{- define "tenantry.mounts" -}}
- { name: tmp, mountPath: /tmp }
- { name: config, mountPath: /config, readOnly: true }
{{- end -}}

{{- define "tenantry.volumes" -}}
- name: tmp
  emptyDir: { sizeLimit: 128Mi }
- name: config
  projected:
    sources:
      - configMap:
          {{- if .Values.existingPlatform.configMap }}
          name: {{ .Values.existingPlatform.configMap }}
          items: [{ key: {{ .Values.existingPlatform.key }}, path: platform.json }]
          {{- else }}
          name: {{ include "tenantry.fullname" . }}-platform
          {{- end }}
      {{- if .Values.databaseCa }}
      - configMap: { name: {{ include "tenantry.fullname" . }}-database-ca }
      {{- end }}
{{- end -}}

{{/* Another platform, CA or Secret replaces the pods, which read them at their start. */}}
{{- define "tenantry.revisions" -}}
tenantry/platform: {{ toJson .Values.platform | sha256sum | trunc 16 | quote }}
tenantry/database-ca: {{ .Values.databaseCa | sha256sum | trunc 16 | quote }}
tenantry/secret: {{ .Values.secretRevision | quote }}
{{- end -}}

{{/* (root, component): where pods go, and apart. */}}
{{- define "tenantry.placement" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}
{{- with $root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if $component }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "tenantry.selector" $root | nindent 8 }}
        app.kubernetes.io/component: {{ $component }}
{{- end }}
{{- end -}}

{{/* (root, component): of a Deployment that is to be there all the time. */}}
{{- define "tenantry.budget" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}
{{- if $root.Values.podDisruptionBudget.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "tenantry.fullname" $root }}-{{ $component }}
  labels: {{- include "tenantry.labels" $root | nindent 4 }}
spec:
  maxUnavailable: {{ $root.Values.podDisruptionBudget.maxUnavailable }}
  selector:
    matchLabels:
      {{- include "tenantry.selector" $root | nindent 6 }}
      app.kubernetes.io/component: {{ $component }}
{{- end }}
{{- end -}}
