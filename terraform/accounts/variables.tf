variable "enable_account_provisioning" {
  description = "Whether accounts may be made. `false` takes away the right to create stacks and is what the API is to be told; nothing that exists goes, and accounts can be deleted."
  type        = bool
  default     = true
}

variable "default_private_account_billing_mode" {
  description = "How tables of private accounts are billed: `PAY_PER_REQUEST`, or `PROVISIONED` with 5 to 100 units that scale at 70 %."
  type        = string
  default     = "PAY_PER_REQUEST"

  validation {
    condition     = contains(["PAY_PER_REQUEST", "PROVISIONED"], var.default_private_account_billing_mode)
    error_message = "default_private_account_billing_mode is PAY_PER_REQUEST or PROVISIONED."
  }
}

variable "app_name" {
  description = "First part of the names `<app_name>-<environment>-account-<id>` of stacks and tables. It stays as it is once there are accounts."
  type        = string
  default     = "app"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,31}$", var.app_name))
    error_message = "app_name has 1 to 32 lower case letters, digits and hyphens, a letter first."
  }
}

variable "environment" {
  description = "Second part of those names. It stays as it is once there are accounts."
  type        = string
  default     = "prod"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,31}$", var.environment))
    error_message = "environment has 1 to 32 lower case letters, digits and hyphens, a letter first."
  }
}

variable "shared_table_name" {
  description = "Table that public accounts share; `<app_name>-<environment>-accounts` by default. It stays as it is once there are accounts."
  type        = string
  default     = null

  validation {
    # `account-` in its name tells a private account's table from others.
    condition     = var.shared_table_name == null || (can(regex("^[A-Za-z0-9_.-]{3,255}$", var.shared_table_name)) && !strcontains(coalesce(var.shared_table_name, "x"), "account-"))
    error_message = "shared_table_name has 3 to 255 letters, digits and _.- and no \"account-\" in it."
  }
}

variable "shared_table_deletion_protection" {
  description = "Whether DynamoDB refuses to delete the shared table. Take it off in an apply of its own before a destroy."
  type        = bool
  default     = true
}

variable "shared_table_recovery_days" {
  description = "Days that the shared table can be restored to a point in time of."
  type        = number
  default     = 35

  validation {
    condition     = var.shared_table_recovery_days >= 1 && var.shared_table_recovery_days <= 35 && floor(var.shared_table_recovery_days) == var.shared_table_recovery_days
    error_message = "shared_table_recovery_days is a whole number from 1 to 35."
  }
}

variable "kms_key_arn" {
  description = "Key of the shared table and the template bucket; the keys that AWS manages when null. The key's policy must let the account's policies decide."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[0-9A-Za-z-]+$", var.kms_key_arn))
    error_message = "kms_key_arn is the ARN of one key."
  }
}

variable "private_table_kms_key_arn" {
  description = "Key of private accounts' tables, in this account and region; the key that AWS manages when null. The key's policy must let the account's policies decide."
  type        = string
  default     = null

  validation {
    condition     = var.private_table_kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[0-9A-Za-z-]+$", var.private_table_kms_key_arn))
    error_message = "private_table_kms_key_arn is the ARN of one key."
  }
}

variable "template_bucket_name" {
  description = "Bucket of the template; `<app_name>-<environment>-templates-<AWS account>-<region>` by default."
  type        = string
  default     = null
}

variable "router_lease_seconds" {
  description = "How long a router may go by what it read of an account. Removals and moves wait for so long; a router cuts its `ttlMs` to half of it. Not below 60 in production: SSM's answers may be an eighth of it old."
  type        = number
  default     = 600

  validation {
    condition     = var.router_lease_seconds >= 1 && var.router_lease_seconds <= 3600 && floor(var.router_lease_seconds) == var.router_lease_seconds
    error_message = "router_lease_seconds is a whole number from 1 to 3600."
  }
}

variable "moved_rows_hold_seconds" {
  description = "How long the rows of an account stay in the shared table that was moved to a table of its own. Its operation is open meanwhile."
  type        = number
  default     = 900

  validation {
    condition     = var.moved_rows_hold_seconds >= 1 && var.moved_rows_hold_seconds <= 86400 && floor(var.moved_rows_hold_seconds) == var.moved_rows_hold_seconds
    error_message = "moved_rows_hold_seconds is a whole number from 1 to 86400."
  }
}

variable "tags" {
  description = "Tags of everything that is made here."
  type        = map(string)
  default     = {}
}
