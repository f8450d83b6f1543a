variable "access" {
  description = "Who may call the API (docs/access.md): tokens of an issuer, service keys, or both."
  type = object({
    oidc_issuer        = optional(string)
    oidc_audience      = optional(string)
    oidc_roles_claim   = optional(string)
    oidc_tenants_claim = optional(string)
    oidc_algorithms    = optional(string)
    service_keys       = optional(bool, false)
    cors_origins       = optional(string)
  })

  validation {
    condition     = var.access.service_keys || var.access.oidc_issuer != null
    error_message = "access has oidc_issuer with oidc_audience, or service_keys: the API listens nowhere else without."
  }

  validation {
    condition     = (var.access.oidc_issuer == null) == (var.access.oidc_audience == null)
    error_message = "access has oidc_issuer and oidc_audience, or neither."
  }
}

variable "temporal" {
  description = "Where Temporal is. `api_key` and `mtls`: credentials that fill-secrets.sh puts in. `server_ca_pem`: of a server with a CA of its own."
  type = object({
    address       = string
    namespace     = string
    tls           = optional(bool, true)
    api_key       = optional(bool, false)
    mtls          = optional(bool, false)
    server_name   = optional(string)
    server_ca_pem = optional(string)
    ui_url        = optional(string)
  })

  validation {
    condition     = can(regex("^[A-Za-z0-9.-]+:[0-9]{1,5}$", var.temporal.address))
    error_message = "temporal.address is host:port."
  }
}

variable "settings" {
  description = "How often and how: README, \"Settings\". Default: what the processes do without; the API listens on for 10 s while the load balancer stops sending."
  type = object({
    deletion_grace = optional(string)
    drain_delay    = optional(string, "10s")
    sweep_interval = optional(string)
    drift_every    = optional(string)
    drift_repair   = optional(string)
    health_every   = optional(string)
  })
  default = {}
}

variable "limits" {
  description = "How much one caller may ask of each API process (docs/limits.md): `reads = \"3000/1m\"`, ... Default: what the API does without."
  type = object({
    reads          = optional(string)
    changes        = optional(string)
    tenant_reads   = optional(string)
    tenant_changes = optional(string)
    refused        = optional(string)
    pace           = optional(string)
    in_flight      = optional(string)
    streams        = optional(string)
  })
  default = {}
}

variable "telemetry" {
  description = "OpenTelemetry (docs/observability.md). `otlp_endpoint`: URL of a collector that takes OTLP by http/protobuf, reached from the VPC; null: nothing is sent. `trace_ratio`: share of the operations that are traced, 0 to 1; all when null."
  type = object({
    otlp_endpoint = optional(string)
    trace_ratio   = optional(number)
  })
  default = {}

  validation {
    condition     = var.telemetry.otlp_endpoint == null || can(regex("^https?://[^/]", var.telemetry.otlp_endpoint))
    error_message = "telemetry.otlp_endpoint is an http(s) URL."
  }

  validation {
    condition     = var.telemetry.trace_ratio == null || try(var.telemetry.trace_ratio >= 0 && var.telemetry.trace_ratio <= 1, false)
    error_message = "telemetry.trace_ratio is a number from 0 to 1."
  }
}

variable "enable_account_provisioning" {
  description = "Whether accounts may be made (R-TF-09)."
  type        = bool
  default     = false
}

variable "catalog_file" {
  description = "File in the image that names products and kinds; those that come with Tenantry when null."
  type        = string
  default     = null
}

variable "log_level" {
  description = "`info`, `debug`, ..."
  type        = string
  default     = "info"
}
