# The eight of R-TF-02. What was a default there was one company's (C-31): those are asked for.
variable "aws_region" {
  description = "Region of everything."
  type        = string
  default     = "us-east-1"
}

variable "environment" {
  description = "`production`, `staging`, ..."
  type        = string
  default     = "production"
}

variable "vpc_id" {
  description = "VPC of load balancer, tasks and databases."
  type        = string
}

variable "private_subnet_ids" {
  description = "Subnets of tasks, in two zones, with a way out to AWS and Temporal."
  type        = list(string)
}

variable "ecs_cluster_name" {
  description = "Cluster of the template services and the tenants'."
  type        = string
  default     = "moamalat-cluster"
}

variable "alb_arn" {
  description = "Load balancer that tenants share; it has an HTTPS listener with a certificate for `*.<domain_name>`."
  type        = string
}

variable "route53_zone_id" {
  description = "Public hosted zone `domain_name`."
  type        = string
}

variable "domain_name" {
  description = "Parent domain of tenants' hosts."
  type        = string
}

# What the platform description must say of what is there.
variable "template_services" {
  description = "By component: services that tenants' services are cloned from (C-02: names are settings)."
  type        = map(string)
  default     = { backend = "moamalat-company-x", frontend = "moamalat-company-x-frontend" }
}

variable "template_role_arns" {
  description = "Task and execution roles of the templates: tenants' task definitions may name them."
  type        = list(string)
}

variable "template_image_repositories" {
  description = "Repositories (without tag) of the templates' images."
  type        = list(string)
}

variable "task_security_group_ids" {
  description = "Security groups of the templates' tasks."
  type        = list(string)
}

variable "shared_with_template" {
  description = "By product: what tenants may share with their templates."
  type        = any
  default     = {}
}

variable "tenant_database" {
  description = "PostgreSQL that tenants' schemas go to. Its group lets the workers' group in, and the login is made by hand (terraform/control-plane/setup.sql)."
  type        = object({ host = string, port = optional(number, 5432), name = string })
}

variable "create_tenants_table" {
  description = "Whether the table `tenants` is made (C-04); false: it is there, and its key is checked."
  type        = bool
  default     = true
}

variable "create_mail_identity" {
  description = "Whether the sender's domain is made an identity of SES."
  type        = bool
  default     = false
}

variable "api_host" {
  description = "Name of the API in the zone; `tenantry.<domain_name>` by default. No tenant can have it as its slug."
  type        = string
  default     = null
}

variable "image" {
  description = "Image of Tenantry; null until it is pushed."
  type        = string
  default     = null
}

variable "migrate_image" {
  description = "Image of `migrate`, for an upgrade; default: `image`."
  type        = string
  default     = null
}

variable "running" {
  description = "Whether processes run: not before secrets are filled and the database is migrated."
  type        = bool
  default     = false
}

variable "access" {
  description = "Who may call the API (docs/access.md)."
  type        = any
}

variable "temporal" {
  description = "Where Temporal is (terraform/control-plane)."
  type        = any
}

variable "database_ca_file" {
  description = "PEM file of the region's RDS certificates: https://truststore.pki.rds.amazonaws.com/<region>/<region>-bundle.pem"
  type        = string
  default     = "rds-ca.pem"
}

variable "mail_from" {
  description = "Sender of tenants' mails; `welcome@<domain_name>` by default."
  type        = string
  default     = null
}

variable "alarm_emails" {
  description = "Who is told of alarms and of the bill."
  type        = set(string)
  default     = []
}
