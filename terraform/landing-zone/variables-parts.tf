variable "ecs_cluster_name" {
  description = "Name of the cluster to be made; `<name>-<environment>` by default."
  type        = string
  default     = null
}

variable "container_insights" {
  description = "Metrics of the cluster: `enhanced`, `enabled` or `disabled`."
  type        = string
  default     = "enabled"
}

variable "tenant_databases" {
  description = "By id in the platform description: PostgreSQL instances that tenants' schemas go to. Empty with `existing.tenant_databases`."
  type = map(object({
    name             = optional(string, "tenants")
    engine_version   = optional(string, "17")
    instance_class   = optional(string, "db.m7g.large")
    allocated_gb     = optional(number, 100)
    max_allocated_gb = optional(number, 1000)
    multi_az         = optional(bool, true)
    backup_days      = optional(number, 14)
  }))
  default = { primary = {} }

  validation {
    condition     = !contains(keys(var.tenant_databases), "shared") && alltrue([for id in keys(var.tenant_databases) : can(regex("^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$", id))])
    error_message = "tenant_databases has labels of at most 20 characters, a letter first; \"shared\" is the name of another one."
  }

  validation {
    condition     = alltrue([for database in values(var.tenant_databases) : try(tonumber(split(".", database.engine_version)[0]) >= 16, false)])
    error_message = "engine_version is 16 or newer: the workers' login is granted roles in its way."
  }
}

variable "shared_database" {
  description = "A further PostgreSQL instance, for products to come that share one. Not in the platform description."
  type = object({
    name             = optional(string, "shared")
    engine_version   = optional(string, "17")
    instance_class   = optional(string, "db.t4g.medium")
    allocated_gb     = optional(number, 50)
    max_allocated_gb = optional(number, 500)
    multi_az         = optional(bool, true)
    backup_days      = optional(number, 14)
  })
  default = null
}

variable "redis" {
  description = "Redis or Valkey that products to come share."
  type = object({
    engine         = optional(string, "valkey")
    engine_version = optional(string, "8.0")
    node_type      = optional(string, "cache.t4g.small")
    nodes          = optional(number, 2)
  })
  default = null
}

variable "cognito" {
  description = "A user pool that products to come share; `domain` is the prefix of its sign-in pages."
  type = object({
    domain = optional(string)
    mfa    = optional(string, "OPTIONAL")
  })
  default = null
}

variable "create_tenants_table" {
  description = "Whether the table that tenants are projected to is made (C-04). Without it `tenants_table_name` is read and its key checked; both false and null: nothing is projected."
  type        = bool
  default     = true

  validation {
    condition     = !var.create_tenants_table || var.tenants_table_name != null
    error_message = "tenants_table_name is null, so no table can be made."
  }
}

variable "tenants_table_name" {
  description = "Table that tenants are projected to."
  type        = string
  default     = "tenants"
}

variable "accounts" {
  description = "Parts of the product `accounts` (terraform/accounts); null: the cell does not serve it. `environment` is the short word in names: `prod` of `production`."
  type = object({
    app_name                  = optional(string, "app")
    environment               = optional(string)
    private_table_kms_key_arn = optional(string)
  })
  default = null
}

variable "enable_account_provisioning" {
  description = "Whether accounts may be made."
  type        = bool
  default     = true
}

variable "default_private_account_billing_mode" {
  description = "How tables of private accounts are billed: `PAY_PER_REQUEST` or `PROVISIONED`."
  type        = string
  default     = "PAY_PER_REQUEST"
}

variable "archive" {
  description = "Where final dumps of deleted tenants are kept; null: a deletion keeps nothing."
  type = object({
    bucket_name    = optional(string)
    prefix         = optional(string, "final/")
    retention_days = optional(number, 30)
  })
  default = {}
}

variable "further_repositories" {
  description = "Repositories of images beside those of the templates."
  type        = set(string)
  default     = ["tenantry"]
}

variable "log_retention_days" {
  description = "Days that logs of templates and tenants are kept for; one of the numbers that CloudWatch Logs takes."
  type        = number
  default     = 30
}

variable "mail_from" {
  description = "Sender of tenants' mails; `welcome@<domain_name>` by default."
  type        = string
  default     = null
}

variable "mail_reply_to" {
  description = "Where answers to those mails go."
  type        = string
  default     = null
}

variable "mail_locale" {
  description = "Language of tenants' mails: `en` or `ar`."
  type        = string
  default     = "en"

  validation {
    condition     = contains(["en", "ar"], var.mail_locale)
    error_message = "mail_locale is en or ar."
  }
}

variable "create_mail_identity" {
  description = "Whether the sender's domain is made an identity of SES, with its DKIM records where they lie in the zone."
  type        = bool
  default     = true
}
