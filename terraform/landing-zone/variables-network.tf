variable "vpc_cidr" {
  description = "Addresses of the VPC. A /16 has room for 15 private subnets of 4,091 tasks."
  type        = string
  default     = "10.42.0.0/16"

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 1)) && try(tonumber(split("/", var.vpc_cidr)[1]) <= 18, false)
    error_message = "vpc_cidr is an IPv4 range of /16 to /18."
  }
}

variable "availability_zones" {
  description = "Zones of the subnets; the first two of the region by default. Their order never changes: addresses follow it."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.availability_zones) != 1 && length(var.availability_zones) <= 6
    error_message = "availability_zones has two to six zones: load balancers and databases need two."
  }
}

variable "nat" {
  description = "The way out of private subnets: a NAT gateway `per-zone`, a `single` one (cheaper, and one zone's end is everybody's), or `none`: then only endpoints lead out, and Temporal must be inside."
  type        = string
  default     = "per-zone"

  validation {
    condition     = contains(["per-zone", "single", "none"], var.nat)
    error_message = "nat is per-zone, single or none."
  }
}

variable "interface_endpoints" {
  description = "AWS services with an address inside the VPC, by the end of the endpoint's name. Each costs per hour and zone. S3 and DynamoDB always have a gateway, which costs nothing."
  type        = set(string)
  default     = ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssm", "sts"]
}

variable "egress_ports" {
  description = "TCP ports at which tasks reach the internet: through NACL and security group."
  type        = list(number)
  default     = [443]

  validation {
    condition     = length(var.egress_ports) <= 10 && alltrue([for port in var.egress_ports : port >= 1 && port <= 65535])
    error_message = "egress_ports are at most 10 port numbers: a NACL has 20 rules a direction."
  }
}

variable "worker_egress_ports" {
  description = "Further TCP ports that the network lets out: for a control plane in it, which reaches Temporal at 7233. Tenants' tasks do not get them."
  type        = list(number)
  default     = [7233]

  validation {
    condition     = length(var.worker_egress_ports) <= 5 && alltrue([for port in var.worker_egress_ports : port >= 1 && port <= 65535])
    error_message = "worker_egress_ports are at most 5 port numbers."
  }
}

variable "ingress_cidrs" {
  description = "Addresses that may reach the load balancers made here."
  type        = list(string)
  default     = ["0.0.0.0/0"]
}

variable "load_balancers" {
  description = "Names of the load balancers to be made, unless existing ones are given. One holds at most 50 tenants of two components, 33 at 100 rules."
  type        = set(string)
  default     = ["1"]

  validation {
    condition     = length(var.load_balancers) > 0
    error_message = "load_balancers has one name at least."
  }
}

variable "tls_policy" {
  description = "Protocols and ciphers of the HTTPS listeners."
  type        = string
  default     = "ELBSecurityPolicy-TLS13-1-2-2021-06"
}

variable "create_certificates" {
  description = "Whether a wildcard certificate is made for each domain; null: where load balancers are made. With existing ones they are added to their listeners."
  type        = bool
  default     = null
}

variable "waf" {
  description = "The firewall before the load balancers. `count_only` lets managed groups count what they would block. On load balancers that are given only with `existing_load_balancers`: each can have one web ACL."
  type = object({
    enabled                   = optional(bool, true)
    existing_load_balancers   = optional(bool, false)
    requests_per_five_minutes = optional(number, 2000)
    managed_groups            = optional(list(string), ["AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesCommonRuleSet"])
    count_only                = optional(bool, false)
  })
  default = {}
}

variable "drain_seconds" {
  description = "How long resolvers may hold an alias that was removed, in seconds: 60 for an alias of a load balancer."
  type        = number
  default     = 60
}

variable "flow_log_retention_days" {
  description = "Days that flow logs are kept for; one of the numbers that CloudWatch Logs takes."
  type        = number
  default     = 90
}

variable "access_log_days" {
  description = "Days that the load balancers' access logs are kept for."
  type        = number
  default     = 90
}

variable "database_client_cidrs" {
  description = "Addresses that reach the databases beside tenants' tasks: of workers in another VPC, by peering or a transit gateway."
  type        = list(string)
  default     = []
}
