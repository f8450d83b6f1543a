variable "name" {
  description = "First part of the names that are made here."
  type        = string
  default     = "tenantry"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,15}$", var.name))
    error_message = "name has 1 to 16 lower case letters, digits and hyphens, a letter first."
  }
}

variable "environment" {
  description = "`production`, `staging`, ...: second part of the names, and what tenants get as `ENVIRONMENT`."
  type        = string

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$", var.environment))
    error_message = "environment has 1 to 12 lower case letters, digits and hyphens, a letter first and no hyphen last."
  }
}

variable "cell_id" {
  description = "Id of the cell in the platform description. It never changes: tenants, ledger and pacing are kept by it."
  type        = string
  default     = "default"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,14}[a-z0-9])?$", var.cell_id))
    error_message = "cell_id is a DNS label of at most 16 characters."
  }
}

variable "domain_name" {
  description = "Name of the hosted zone: the parent of all domains of tenants."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z][a-z0-9-]*[a-z0-9]$", var.domain_name))
    error_message = "domain_name is a domain in lower case, without a dot at its end."
  }
}

variable "accepts_tenants" {
  description = "Whether tenants are made in this cell. False while it is evacuated: those that are there go on as before (docs/cells.md)."
  type        = bool
  default     = true
}

variable "domains" {
  description = "By product: the domain that its tenants' hosts lie right below. Each lies in `domain_name`."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for domain in values(var.domains) : domain == var.domain_name || endswith(domain, ".${var.domain_name}")])
    error_message = "domains must be domain_name or lie below it: tenants' records go into its zone."
  }
}

variable "products" {
  description = "Products without hosts that the cell serves. Those with a domain, and accounts, need not be named."
  type        = list(string)
  default     = []
}

variable "templates" {
  description = "By product and component: the service that tenants' services are cloned from. `image` names a whole image elsewhere; without it there is a repository here, and `image_tag` in it. `desired_count = 0` until the image is pushed."
  type = map(map(object({
    container_port   = number
    service          = optional(string)
    repository       = optional(string)
    image            = optional(string)
    image_tag        = optional(string, "1.0")
    desired_count    = optional(number, 1)
    cpu              = optional(number, 256)
    memory           = optional(number, 512)
    cpu_architecture = optional(string, "X86_64")
    environment      = optional(map(string), {})
  })))
  default = {}

  validation {
    condition     = alltrue(flatten([for components in values(var.templates) : [for template in values(components) : contains(["X86_64", "ARM64"], template.cpu_architecture)]]))
    error_message = "cpu_architecture is X86_64 or ARM64."
  }
}

variable "shared_with_template" {
  description = "By product: what its tenants may share with their templates, by name. Anything else of these sorts in a template is refused."
  type = map(object({
    volumes          = optional(list(string))
    secrets          = optional(list(string))
    environmentFiles = optional(list(string))
    environment      = optional(list(string))
  }))
  default = {}
}

variable "existing" {
  description = "What is there already and is not made: each thing that is given stands for the one that would be. It is read, never changed."
  type = object({
    vpc_id                  = optional(string)
    private_subnet_ids      = optional(list(string), [])
    public_subnet_ids       = optional(list(string), [])
    task_security_group_ids = optional(list(string), [])
    ecs_cluster_name        = optional(string)
    load_balancers          = optional(map(object({ arn = string, https_port = optional(number, 443) })), {})
    route53_zone_id         = optional(string)
    tenant_databases        = optional(list(object({ id = string, host = string, port = optional(number, 5432), name = string })), [])
    template_services       = optional(map(map(string)), {})
    allowed_role_arns       = optional(list(string), [])
    image_repositories      = optional(list(string), [])
  })
  default = {}

  validation {
    condition     = var.existing.vpc_id == null || length(var.existing.load_balancers) > 0 || length(var.existing.public_subnet_ids) > 1
    error_message = "With existing.vpc_id give existing.load_balancers, or existing.public_subnet_ids (two zones) for load balancers to be made in."
  }
}

variable "trusted_role_arns" {
  description = "Roles of workers that may take on the role of this cell: for a cell beside the first one, or in another account. None: workers use their own role, which the policies are attached to."
  type        = list(string)
  default     = []
}

variable "policy_folder" {
  description = "Folder with `<role>.json.tftpl` and `tenant-boundary.json.tftpl` in the place of those of this module."
  type        = string
  default     = null
}

variable "permissions_boundary_arn" {
  description = "Boundary of the roles that tenants' tasks have, in the place of the one that is made here."
  type        = string
  default     = null
}

variable "tenant_task_policy_arns" {
  description = "By any name: policies of the role that code of tenants runs with. It has no rights without."
  type        = map(string)
  default     = {}
}

variable "kms_key_arn" {
  description = "Key of databases, tables, archive, images and flow logs; the keys that AWS manages when null. Its policy must let the account's policies decide, and CloudWatch Logs use it."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[0-9A-Za-z-]+$", var.kms_key_arn))
    error_message = "kms_key_arn is the ARN of one key."
  }
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete databases, tables, load balancers and the pool. Take it off in an apply of its own before a destroy."
  type        = bool
  default     = true
}

variable "tags" {
  description = "Tags of everything that is made here."
  type        = map(string)
  default     = {}
}
