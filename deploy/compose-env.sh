#!/bin/sh
# `sh deploy/compose-env.sh`: makes up the secrets of deploy/compose.yaml and writes deploy/.env, which compose reads by itself and git does not.
# Secrets that are there stay: the databases know them.
set -eu
cd "$(dirname "$0")"
if [ -e .env ]; then
  echo "deploy/.env is there already: 'docker compose -f deploy/compose.yaml down --volumes', then remove it, to begin anew" >&2
  exit 1
fi
umask 077
hex() { openssl rand -hex 24; }
admin=$(hex) control=$(hex) tenants=$(hex) key=$(openssl rand -base64 32)
cat >.env.new <<END
POSTGRES_ADMIN_PASSWORD=$admin
CONTROL_PASSWORD=$control
TENANTS_PASSWORD=$tenants
TENANTRY_PAYLOAD_KEY=$key
END
mv .env.new .env
echo "wrote deploy/.env"
