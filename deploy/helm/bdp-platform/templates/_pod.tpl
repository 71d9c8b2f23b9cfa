{{/* Parts that several objects share. Each takes a dict: root (the chart's context), and what it says itself. */}}

{{- define "bdp.contract" -}}
{{ .Files.Get "files/platform.yaml" }}
{{- end }}

{{/* root, component */}}
{{- define "bdp.selector" -}}
app.kubernetes.io/name: {{ .root.Values.name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* root, component */}}
{{- define "bdp.labels" -}}
{{ include "bdp.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: {{ .root.Values.name }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "bdp.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag }}
{{- end }}

{{/* Where Kafka is and how to log in, by either door, as YAML: bootstrap, port, username, password, ca */}}
{{- define "bdp.kafka" -}}
{{- $kafka := .Values.kafka }}
{{- if $kafka.strimzi.enabled -}}
bootstrap: {{ $kafka.strimzi.cluster }}-kafka-bootstrap:9093
port: 9093
username: {{ .Values.name }}-kafka
password: {name: {{ .Values.name }}-kafka, key: password}
ca: {name: {{ $kafka.strimzi.cluster }}-cluster-ca-cert, key: ca.crt}
{{- else -}}
{{- $bootstrap := required "kafka.external.bootstrap: needed where kafka.strimzi.enabled is false" $kafka.external.bootstrap -}}
bootstrap: {{ $bootstrap }}
port: {{ $bootstrap | splitList "," | first | splitList ":" | last }}
{{- with $kafka.external.username }}
username: {{ . }}
password: {{ $kafka.external.passwordSecret | toJson }}
{{- end }}
{{- if $kafka.external.caSecret.name }}
ca: {{ $kafka.external.caSecret | toJson }}
{{- end }}
{{- end }}
{{- end }}

{{/* The settings without secrets, for the ConfigMap. What is not a setting, or a secret, is refused. */}}
{{- define "bdp.settings" -}}
{{- $known := (include "bdp.contract" . | fromYaml).settings }}
{{- range $name, $_ := .Values.config }}
{{- if has $name $known.secret }}
{{- fail (printf "config.%s is a secret: put it into the Secret of existingSecret" $name) }}
{{- else if has $name $known.chart }}
{{- fail (printf "config.%s is set by the chart: see the values api, kafka, model and workerMetricsPort" $name) }}
{{- else if not (has $name $known.config) }}
{{- fail (printf "config.%s is no setting of the platform: bdp settings --env-example lists all" $name) }}
{{- end }}
{{- end }}
{{- $kafka := include "bdp.kafka" . | fromYaml }}
{{- range $name, $value := .Values.config }}
{{ $name }}: {{ $value | toString | quote }}
{{- end }}
BDP_KAFKA_BOOTSTRAP: {{ $kafka.bootstrap | quote }}
{{- with $kafka.username }}
BDP_KAFKA_USERNAME: {{ . | quote }}
{{- end }}
{{- with $kafka.ca }}
BDP_KAFKA_CA_FILE: /etc/bdp/kafka/{{ .key }}
{{- end }}
BDP_MLFLOW_URI: {{ .Values.model.mlflowUri | quote }}
BDP_MODEL_NAME: {{ .Values.model.name | quote }}
{{- end }}

{{/* root, secrets, kafka (whether it talks to Kafka) */}}
{{- define "bdp.env" -}}
{{- $known := (include "bdp.contract" .root | fromYaml).settings }}
- {name: HOME, value: /tmp}
- {name: BDP_HOME, value: /var/lib/bdp}
{{- range .secrets }}
{{- if and (hasPrefix "BDP_" .) (not (has . $known.secret)) }}
{{- fail (printf "secrets: %s is no secret setting of the platform" .) }}
{{- end }}
- {name: {{ . }}, valueFrom: {secretKeyRef: {name: {{ $.root.Values.existingSecret }}, key: {{ . }}}}}
{{- end }}
{{- $kafka := include "bdp.kafka" .root | fromYaml }}
{{- if and .kafka $kafka.password }}
- {name: BDP_KAFKA_PASSWORD, valueFrom: {secretKeyRef: {{ $kafka.password | toJson }}}}
{{- end }}
{{- end }}

{{- define "bdp.mounts" -}}
{{- $kafka := include "bdp.kafka" . | fromYaml }}
- {name: home, mountPath: /var/lib/bdp}
- {name: tmp, mountPath: /tmp}
{{- if $kafka.ca }}
- {name: kafka-ca, mountPath: /etc/bdp/kafka, readOnly: true}
{{- end }}
{{- end }}

{{/* root, homeSize */}}
{{- define "bdp.volumes" -}}
{{- $kafka := include "bdp.kafka" .root | fromYaml }}
- {name: home, emptyDir: {sizeLimit: {{ .homeSize }}}}
- {name: tmp, emptyDir: {sizeLimit: {{ .root.Values.tmpSize }}}}
{{- with $kafka.ca }}
- {name: kafka-ca, secret: {secretName: {{ .name }}}}
{{- end }}
{{- end }}

{{/* Of every container: no root, nothing to write but its volumes, no capability. */}}
{{- define "bdp.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* What every pod says beside its containers. root, component */}}
{{- define "bdp.podSpec" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .root.Values.podSecurity.user }}
  runAsGroup: {{ .root.Values.podSecurity.group }}
  fsGroup: {{ .root.Values.podSecurity.group }}
  seccompProfile: {type: RuntimeDefault}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "bdp.selector" . | nindent 8 }}
{{- end }}

{{/* Brings the model before API or scoring worker start. */}}
{{- define "bdp.model" -}}
- name: model
  image: {{ include "bdp.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [bdp, models, fetch{{ with .Values.model.version }}, {{ . | quote }}{{ end }}]
  envFrom:
    - configMapRef: {name: {{ .Values.name }}-settings}
  env: {{ include "bdp.env" (dict "root" . "secrets" .Values.model.secrets "kafka" false) | nindent 4 }}
  resources: {{ toYaml .Values.model.resources | nindent 4 }}
  securityContext: {{ include "bdp.containerSecurity" . | nindent 4 }}
  volumeMounts: {{ include "bdp.mounts" . | nindent 4 }}
{{- end }}
