variable "name" {
  description = "First part of the names that are made here."
  type        = string
  default     = "tenantry"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.name))
    error_message = "name has 1 to 20 lower case letters, digits and hyphens, a letter first."
  }
}

variable "environment" {
  description = "Environment whose states lie here. Each has a bucket and a table of its own, so that nobody's plan of staging reads production."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.environment))
    error_message = "environment has 1 to 20 lower case letters, digits and hyphens, a letter first."
  }
}

variable "bucket_name" {
  description = "Bucket of the states; `<name>-<environment>-terraform-state-<AWS account>-<region>` by default."
  type        = string
  default     = null
}

variable "lock_table_name" {
  description = "DynamoDB table of the locks; `<name>-<environment>-terraform-locks` by default."
  type        = string
  default     = null
}

variable "lock_with" {
  description = "What holds the lock: `dynamodb` (the table), `s3` (a lock file beside the state, from Terraform 1.10), or both, so that versions before and after lock each other out. From 1.11 Terraform warns of the table."
  type        = set(string)
  default     = ["dynamodb", "s3"]

  validation {
    condition     = length(var.lock_with) > 0 && length(setsubtract(var.lock_with, ["dynamodb", "s3"])) == 0
    error_message = "lock_with has dynamodb, s3, or both: a state without a lock is lost when two apply at once."
  }
}

variable "old_version_days" {
  description = "Days that earlier versions of a state are kept for; the newest 20 are kept for longer."
  type        = number
  default     = 365

  validation {
    condition     = var.old_version_days >= 30 && floor(var.old_version_days) == var.old_version_days
    error_message = "old_version_days is a whole number from 30."
  }
}

variable "kms_key_arn" {
  description = "Key of the bucket and the table; the keys that AWS manages when null. Whoever runs Terraform needs rights to it."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[0-9A-Za-z-]+$", var.kms_key_arn))
    error_message = "kms_key_arn is the ARN of one key."
  }
}

variable "tags" {
  description = "Tags of everything that is made here."
  type        = map(string)
  default     = {}
}
