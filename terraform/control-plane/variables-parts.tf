variable "vpc_id" {
  description = "VPC of the processes and the database."
  type        = string
}

variable "vpc_cidr" {
  description = "Addresses of the VPC: what the load balancer appends to X-Forwarded-For from there is believed."
  type        = string

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0))
    error_message = "vpc_cidr is a range of addresses: 10.0.0.0/16."
  }
}

variable "private_subnet_ids" {
  description = "Subnets of the processes, the database and an internal load balancer; two zones."
  type        = list(string)

  validation {
    condition     = length(var.private_subnet_ids) >= 2
    error_message = "private_subnet_ids has two subnets at least, in different zones."
  }
}

variable "public_subnet_ids" {
  description = "Subnets of a load balancer that is not internal."
  type        = list(string)
  default     = []

  validation {
    condition     = var.api.internal || length(var.public_subnet_ids) >= 2
    error_message = "api.internal is false, so public_subnet_ids must name two subnets."
  }
}

variable "tenant_database_cidr" {
  description = "Where tenants' databases are, as workers' security group has it."
  type        = string
  default     = "10.0.0.0/8"
}

variable "database" {
  description = "PostgreSQL of the control plane."
  type = object({
    engine_version   = optional(string, "17")
    instance_class   = optional(string, "db.m7g.large")
    allocated_gb     = optional(number, 50)
    max_allocated_gb = optional(number, 500)
    multi_az         = optional(bool, true)
    backup_days      = optional(number, 35)
  })
  default = {}

  validation {
    condition     = var.database.backup_days >= 1 && var.database.backup_days <= 35
    error_message = "database.backup_days is 1 to 35: without backups nobody knows what belongs to whom after a loss."
  }

  validation {
    condition     = try(tonumber(split(".", var.database.engine_version)[0]) >= 16, false)
    error_message = "database.engine_version is 16 or newer: setup.sql grants a role in its way."
  }
}

variable "database_ca_pem" {
  description = "Certificates that the databases' TLS is held against: https://truststore.pki.rds.amazonaws.com/<region>/<region>-bundle.pem"
  type        = string

  validation {
    condition     = startswith(trimspace(var.database_ca_pem), "-----BEGIN CERTIFICATE-----") && length(var.database_ca_pem) < 20000
    error_message = "database_ca_pem is the text of a PEM file of less than 20,000 characters: the bundle of one region, not of all."
  }
}

variable "setup_image" {
  description = "Image with psql 14 or newer, for the one-off tasks that make logins."
  type        = string
  default     = "public.ecr.aws/docker/library/postgres:17-alpine"
}

variable "access_logs_bucket" {
  description = "Bucket of the access logs of the API's load balancer, whose policy lets it write; output of the landing zone. null: it logs nothing."
  type        = string
  default     = null
}

variable "tls_policy" {
  description = "Protocols and ciphers of the API's listener."
  type        = string
  default     = "ELBSecurityPolicy-TLS13-1-2-2021-06"
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the database and the load balancer. Take it off in an apply of its own before a destroy."
  type        = bool
  default     = true
}

variable "log_retention_days" {
  description = "Days that logs are kept for; one of the numbers that CloudWatch Logs takes."
  type        = number
  default     = 90
}

variable "enable_alarms" {
  description = "Whether there are alarms (U-53; R-TF-09 has `account_provisioning_enable_alarms`)."
  type        = bool
  default     = true
}

variable "alarm_emails" {
  description = "Who is told of alarms and of the bill; each gets a mail to confirm. Other receivers subscribe to `alarm_topic_arn`."
  type        = set(string)
  default     = []
}

variable "tenant_load_balancer_arns" {
  description = "By name: load balancers of tenants, for alarms and dashboards."
  type        = map(string)
  default     = {}
}

variable "redis_cluster_ids" {
  description = "Nodes of Redis that are watched."
  type        = set(string)
  default     = []
}

variable "dashboard_products" {
  description = "Products with a dashboard of their own."
  type        = list(string)
  default     = ["moamalat", "accounts"]
}

variable "dashboard_tables" {
  description = "DynamoDB tables on the dashboard of accounts."
  type        = list(string)
  default     = []
}

variable "canary" {
  description = "A process that makes, looks at and removes a tenant of this product again and again (docs/canary.md); its service key is the secret `canary-key`. null: none."
  type = object({
    product = string
    every   = optional(string, "15m")
    paths   = optional(list(string), ["/"])
    tier    = optional(string)
    cell    = optional(string)
    email   = optional(string)
  })
  default = null

  validation {
    condition     = var.canary == null ? true : can(regex("^([1-9]|[1-5][0-9])m$|^1h$", var.canary.every)) && alltrue([for path in var.canary.paths : startswith(path, "/")]) && length(var.canary.paths) > 0
    error_message = "canary.every is 1m to 59m, or 1h; canary.paths are paths that begin with a slash."
  }

  validation {
    condition     = var.canary == null || var.access.service_keys
    error_message = "A canary calls the API by a service key: access.service_keys must be true."
  }
}

variable "billing" {
  description = "Alarm when the account's estimated charges exceed `alarm_usd` (R-COST-01), 0 for none, and a monthly budget, null for none. `cost_by_tenant` switches the tags of tenants on as cost allocation tags, once there are tenants."
  type = object({
    alarm_usd      = optional(number, 1000)
    alarm_name     = optional(string)
    budget_usd     = optional(number)
    cost_by_tenant = optional(bool, false)
  })
  default = {}
}
