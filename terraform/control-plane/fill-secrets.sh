#!/usr/bin/env bash
# terraform output -json secrets_to_fill | fill-secrets.sh
# Gives each secret its first value: random passwords and keys are made here, what others issue is read from the environment variable
# that the list names. A secret that has a value keeps it. No value is printed, or given to a command as an argument.
# Needs bash, aws (version 2), jq and openssl; credentials that may call secretsmanager:DescribeSecret and PutSecretValue.
set -euo pipefail

missing=0
put() { # ARN, value on stdin
  jq --raw-input --slurp --arg id "$1" '{ SecretId: $id, SecretString: . }' |
    aws secretsmanager put-secret-value --cli-input-json file:///dev/stdin >/dev/null
}

while IFS= read -r secret; do
  arn=$(jq -r .arn <<<"$secret")
  name=$(jq -r .name <<<"$secret")
  versions=$(aws secretsmanager describe-secret --secret-id "$arn" --query 'length(VersionIdsToStages || `{}`)' --output text)
  if [ "$versions" != 0 ]; then
    echo "$name: has a value, which stays"
    continue
  fi
  case $(jq -r .value <<<"$secret") in
    payload-key) openssl rand -base64 32 | tr -d '\n' | put "$arn" ;;
    database-url)
      password=$(openssl rand -hex 24)
      jq -j --arg password "$password" '"postgres://\(.login):\($password)@\(.host):\(.port)/\(.database)?sslmode=verify-full"' <<<"$secret" | put "$arn"
      ;;
    *)
      variable=$(jq -r .from <<<"$secret")
      if [ -z "${!variable:-}" ]; then
        echo "$name: set $variable and run this again" >&2
        missing=1
        continue
      fi
      printf '%s' "${!variable}" | put "$arn"
      ;;
  esac
  echo "$name: has its first value"
done < <(jq -c '.[]')

exit "$missing"
