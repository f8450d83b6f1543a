output "bucket" {
  description = "Bucket of the states."
  value       = aws_s3_bucket.state.bucket
}

output "lock_table" {
  description = "Table of the locks; null where the lock is a file in the bucket alone."
  value       = one(aws_dynamodb_table.locks[*].name)
}

output "backend_hcl" {
  description = "For `terraform init -backend-config=FILE`; the key of each state is given beside it."
  value = join("\n", concat(
    [
      "bucket       = \"${aws_s3_bucket.state.bucket}\"",
      "region       = \"${local.region}\"",
      "encrypt      = true",
    ],
    var.kms_key_arn == null ? [] : ["kms_key_id   = \"${var.kms_key_arn}\""],
    contains(var.lock_with, "s3") ? ["use_lockfile = true"] : [],
    [for table in aws_dynamodb_table.locks : "dynamodb_table = \"${table.name}\""],
    [""],
  ))
}
