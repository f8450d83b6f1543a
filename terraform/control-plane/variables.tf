variable "name" {
  description = "First part of the names that are made here."
  type        = string
  default     = "tenantry"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,13}$", var.name))
    error_message = "name has 1 to 14 lower case letters, digits and hyphens, a letter first."
  }
}

variable "environment" {
  description = "`production`, `staging`, ...: second part of the names."
  type        = string

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$", var.environment))
    error_message = "environment has 1 to 12 lower case letters, digits and hyphens, a letter first and no hyphen last."
  }
}

variable "image" {
  description = "Image of Tenantry, best with its digest. null: there is none yet, and everything is made but the processes."
  type        = string
  default     = null
}

variable "migrate_image" {
  description = "Image of the one-off task `migrate`, for an upgrade: it runs before `image` is changed. Default: `image`."
  type        = string
  default     = null
}

variable "entry_point" {
  description = "What the image is started by; `api`, `worker`, `migrate` or `doctor` follows. It needs node on the PATH."
  type        = list(string)
  default     = ["tenantry"]
}

variable "cpu_architecture" {
  description = "Of the image: `X86_64` or `ARM64`."
  type        = string
  default     = "X86_64"

  validation {
    condition     = contains(["X86_64", "ARM64"], var.cpu_architecture)
    error_message = "cpu_architecture is X86_64 or ARM64."
  }
}

variable "running" {
  description = "Whether processes run. `false` until secrets are filled and the database is migrated, and while it is restored."
  type        = bool
  default     = true
}

variable "platform" {
  description = "The platform description: output `platform` of the landing zone, or the cells of several in one."
  type        = any

  validation {
    condition     = try(var.platform.version == 1 && length(var.platform.cells) > 0, false)
    error_message = "platform is { version = 1, cells = [...] }."
  }
}

variable "role_policy_arns" {
  description = "By role of table 45.6: policies of the workers; output of the landing zone."
  type        = map(list(string))
  default     = {}
}

variable "cell_role_arns" {
  description = "By cell: roles that workers take on, of cells that have one."
  type        = map(string)
  default     = {}
}

variable "workers" {
  description = "Worker services, and the roles of table 45.6 that each has. All queues are served by every worker, so each needs all roles until queues are separated."
  type = map(object({
    roles         = optional(list(string), ["provisioning", "data", "status-checker", "notify", "registry-writer"])
    desired_count = optional(number, 2)
    cpu           = optional(number, 1024)
    memory        = optional(number, 2048)
    environment   = optional(map(string), {})
  }))
  default = { all = {} }

  validation {
    condition     = length(var.workers) > 0 && alltrue(flatten([for worker in values(var.workers) : [for role in worker.roles : contains(["provisioning", "data", "status-checker", "notify", "registry-writer"], role)]]))
    error_message = "workers has one at least, with roles out of provisioning, data, status-checker, notify, registry-writer."
  }
}

variable "api" {
  description = "The API: `host` is its name, with a record and a certificate in the zone, unless `creates_record` is false and `certificate_arn` is given. `internal`: reached from the VPC only. `uses_web_acl` puts `web_acl_arn` before it."
  type = object({
    host            = string
    route53_zone_id = optional(string)
    creates_record  = optional(bool, true)
    certificate_arn = optional(string)
    internal        = optional(bool, true)
    uses_web_acl    = optional(bool, false)
    ingress_cidrs   = optional(list(string), ["0.0.0.0/0"])
    desired_count   = optional(number, 2)
    cpu             = optional(number, 512)
    memory          = optional(number, 1024)
  })

  validation {
    condition     = var.api.route53_zone_id != null || (var.api.certificate_arn != null && !var.api.creates_record)
    error_message = "api has route53_zone_id, where its record and certificate are made, or certificate_arn and creates_record = false."
  }
}

variable "web_acl_arn" {
  description = "Firewall before the API, with `api.uses_web_acl`."
  type        = string
  default     = null
}

variable "tenant_databases" {
  description = "By id in the platform description: where workers reach them; output of the landing zone, with `allocated_gb`. `is_managed = false`: made elsewhere, so its login is made by hand. `by_address`: its group lets workers in by their addresses, as that of another cell does."
  type = map(object({
    host              = string
    port              = optional(number, 5432)
    name              = optional(string, "tenants")
    identifier        = optional(string)
    master_secret_arn = optional(string)
    security_group_id = optional(string)
    allocated_gb      = optional(number, 100)
    is_managed        = optional(bool, true)
    by_address        = optional(bool, false)
  }))

  validation {
    condition     = length(var.tenant_databases) > 0
    error_message = "tenant_databases has one at least."
  }
}

variable "tags" {
  description = "Tags of everything that is made here."
  type        = map(string)
  default     = {}
}
