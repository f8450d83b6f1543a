variable "repository" {
  description = "Repository on GitHub: `owner/name`."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.repository))
    error_message = "repository is owner/name, without wildcards."
  }
}

variable "environments" {
  description = "Environments of the repository whose jobs may take the role on. Protect them there: reviewers, and the branch `main` only."
  type        = list(string)

  validation {
    condition     = length(var.environments) > 0 && alltrue([for environment in var.environments : can(regex("^[A-Za-z0-9._-]+$", environment))])
    error_message = "environments has one name at least, without wildcards."
  }
}

variable "role_name" {
  description = "Name of the role."
  type        = string
  default     = "tenantry-deploy"
}

variable "create_provider" {
  description = "Whether the OIDC provider is made; false: the account has it."
  type        = bool
  default     = true
}

variable "repository_arns" {
  description = "ECR repositories that images are pushed to."
  type        = list(string)

  validation {
    condition     = length(var.repository_arns) > 0
    error_message = "repository_arns has one at least."
  }
}

variable "policy_arns" {
  description = "By any name: further policies of the role, as `terraform apply` needs them."
  type        = map(string)
  default     = {}
}

variable "tags" {
  description = "Tags of everything that is made here."
  type        = map(string)
  default     = {}
}
