terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
    }
  }

  # Filled in by `terraform init -backend-config=...`: terraform/bootstrap prints it.
  backend "s3" {}
}

provider "aws" {
  region = var.aws_region

  default_tags {
    tags = { managed-by = "terraform", environment = var.environment }
  }
}
