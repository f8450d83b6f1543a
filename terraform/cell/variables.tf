variable "name" {
  description = "First part of the names that are made here; best another one than the first cell's where both are in one account."
  type        = string
  default     = "tenantry"
}

variable "environment" {
  description = "As the first cell has it."
  type        = string
}

variable "cell_id" {
  description = "Id of the cell in the platform description: `eu`. It never changes."
  type        = string
}

variable "platform" {
  description = "Platform description of the cells before this one; output `platform` has this one behind them."
  type        = any

  validation {
    condition     = try(var.platform.version == 1, false) && !contains(try(var.platform.cells[*].id, []), var.cell_id)
    error_message = "platform is a platform description that does not have this cell_id yet."
  }
}

variable "worker_role_arns" {
  description = "Roles of the workers (values of output `worker_role_arns` of the control plane): they may take on the role of this cell."
  type        = list(string)

  validation {
    condition     = length(var.worker_role_arns) > 0
    error_message = "worker_role_arns has one at least: nobody could work in the cell."
  }
}

variable "worker_cidrs" {
  description = "Addresses that workers come from. Their VPC and this one must be connected (peering, transit gateway), which is not done here."
  type        = list(string)
}

variable "domain_name" {
  description = "Name of the hosted zone."
  type        = string
}

variable "accepts_tenants" {
  description = "Whether tenants are made in this cell. False while it is evacuated: those that are there go on as before (docs/cells.md)."
  type        = bool
  default     = true
}

variable "domains" {
  description = "By product: the domain that its tenants' hosts lie right below."
  type        = map(string)
  default     = {}
}

variable "products" {
  description = "Products without hosts that the cell serves."
  type        = list(string)
  default     = []
}

variable "templates" {
  description = "Services that tenants' services are cloned from: as in the landing zone."
  type        = any
  default     = {}
}

variable "existing" {
  description = "What is there already: as in the landing zone. `route53_zone_id` of the first cell where both use its zone."
  type        = any
  default     = {}
}

variable "vpc_cidr" {
  description = "Addresses of the VPC: none that a VPC has which it is to be connected to."
  type        = string
}

variable "nat" {
  description = "The way out of private subnets: `per-zone`, `single` or `none`."
  type        = string
  default     = "per-zone"
}

variable "load_balancers" {
  description = "Names of the load balancers to be made."
  type        = set(string)
  default     = ["1"]
}

variable "tenant_databases" {
  description = "By id: PostgreSQL instances of this cell. No id of another cell: its URL is TENANT_DATABASE_URL_<ID>."
  type        = any

  validation {
    condition     = length(setintersection(try(keys(var.tenant_databases), []), flatten([for cell in try(var.platform.cells, []) : cell.tenantDatabases[*].id]))) == 0
    error_message = "tenant_databases has an id that a cell of platform has: workers would take one database for the other."
  }
}

variable "create_tenants_table" {
  description = "Whether the table that tenants are projected to is made here."
  type        = bool
  default     = true
}

variable "tenants_table_name" {
  description = "Table that tenants are projected to."
  type        = string
  default     = "tenants"
}

variable "accounts" {
  description = "Parts of the product `accounts`: as in the landing zone; null: not served."
  type        = any
  default     = null
}

variable "archive" {
  description = "Where final dumps are kept: as in the landing zone; null: nowhere."
  type        = any
  default     = {}
}

variable "mail_from" {
  description = "Sender of tenants' mails."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "Key in this region; the keys that AWS manages when null."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete databases, tables and load balancers."
  type        = bool
  default     = true
}

variable "tags" {
  description = "Tags of everything that is made here."
  type        = map(string)
  default     = {}
}
