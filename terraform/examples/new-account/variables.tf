variable "aws_region" {
  description = "Region of the first cell and the control plane."
  type        = string
}

variable "environment" {
  description = "`production`, `staging`, ..."
  type        = string
  default     = "production"
}

variable "domain_name" {
  description = "Domain that a hosted zone is made for: tenants' hosts and the API (`tenantry.<domain_name>`) lie in it. Its parent must delegate it."
  type        = string
}

variable "domains" {
  description = "By product: the domain that its tenants' hosts lie right below."
  type        = map(string)
}

variable "templates" {
  description = "By product and component: services that tenants' services are cloned from (terraform/landing-zone)."
  type        = any
}

variable "nat" {
  description = "`per-zone`, or `single`, which is cheaper."
  type        = string
  default     = "per-zone"
}

variable "enable_accounts" {
  description = "Whether the cell serves the product `accounts`."
  type        = bool
  default     = true
}

variable "enable_account_provisioning" {
  description = "Whether accounts may be made (R-TF-09)."
  type        = bool
  default     = true
}

variable "account_provisioning_enable_alarms" {
  description = "Whether there are alarms (R-TF-09): of all that runs here."
  type        = bool
  default     = true
}

variable "default_private_account_billing_mode" {
  description = "How tables of private accounts are billed (R-TF-09): `PAY_PER_REQUEST` or `PROVISIONED`."
  type        = string
  default     = "PAY_PER_REQUEST"
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

variable "api_internal" {
  description = "Whether the API is reached from inside the VPC only (a VPN, a peering). Else it has the tenants' firewall before it."
  type        = bool
  default     = true
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

variable "billing" {
  description = "Alarm of the bill and budget (terraform/control-plane)."
  type        = any
  default     = {}
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete what holds data."
  type        = bool
  default     = true
}
