# Images of Tenantry: `docker build --target api|worker|migrate .`; without a target, one for any command (docs/images.md).
# BASE is Debian with Node and npm, never Alpine: Temporal's native part needs glibc. With its digest, it is the same one every time.
ARG NODE_VERSION=24.22.3
ARG BASE=docker.io/library/node:${NODE_VERSION}-trixie-slim

# Production's packages, the sources that run (docs/adr/0003-run-from-source.md), and the workflow bundle.
FROM ${BASE} AS build
WORKDIR /opt/tenantry
COPY package.json package-lock.json ./
# A registry of one's own: `--secret id=npmrc,src=...` and `--secret id=ca,src=...`; neither is in a layer. No package needs its install script.
# Of Temporal's native part each image needs the library of its own processor; npm brings those of all systems.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc \
    --mount=type=secret,id=ca,target=/run/secrets/ca.pem \
    --mount=type=cache,target=/root/.npm \
    if [ -s /run/secrets/ca.pem ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca.pem; fi \
 && npm ci --omit=dev --omit=peer --ignore-scripts --no-audit --no-fund \
 && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -r {} +
COPY bin/ bin/
COPY migrations/ migrations/
COPY src/ src/
COPY templates/ templates/
COPY scripts/build-workflows.ts scripts/
RUN node --import tsx scripts/build-workflows.ts && rm -r scripts

# Only for `sandbox` below: packages of development too.
FROM build AS build-sandbox
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc \
    --mount=type=secret,id=ca,target=/run/secrets/ca.pem \
    --mount=type=cache,target=/root/.npm \
    if [ -s /run/secrets/ca.pem ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca.pem; fi \
 && npm ci --ignore-scripts --no-audit --no-fund
COPY sandbox/ sandbox/

# What every image is made of. The certificates are for Temporal's native part, which reads the system's; tini passes signals on to commands that have no
# handler of their own, and ends what they leave.
FROM ${BASE} AS runtime
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates tini \
 && rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /var/cache/debconf \
 && rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-* \
 && groupadd --gid 10001 tenantry \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin tenantry
# An installation's own `tenantry.config.ts` goes into /app, where `import ... from 'tenantry'` finds this package.
RUN mkdir -p /app/node_modules \
 && ln -s /opt/tenantry /app/node_modules/tenantry \
 && ln -s /opt/tenantry/bin/tenantry.js /usr/local/bin/tenantry \
 && echo '{ "private": true, "type": "module" }' > /app/package.json
ENV NODE_ENV=production
WORKDIR /app
USER 10001:10001
ENTRYPOINT ["tini", "--", "tenantry"]
CMD ["--help"]

# For the compose file of development: the gateway before an emulator. Not for production.
FROM runtime AS sandbox
COPY --from=build-sandbox /opt/tenantry/ /opt/tenantry/

FROM runtime AS tenantry
ARG VERSION=0.1.0
ARG REVISION=""
ARG SOURCE=""
LABEL org.opencontainers.image.title="Tenantry" \
      org.opencontainers.image.description="Tenant control plane on AWS" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
COPY --from=build /opt/tenantry/ /opt/tenantry/

FROM tenantry AS migrate
CMD ["migrate"]

FROM tenantry AS worker
ENV TENANTRY_WORKER_HEALTH_PORT=9464
EXPOSE 9464
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 CMD ["node", "/opt/tenantry/bin/healthcheck.js", "worker"]
CMD ["worker"]

FROM tenantry AS api
ENV TENANTRY_API_HOST=0.0.0.0
EXPOSE 3006
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 CMD ["node", "/opt/tenantry/bin/healthcheck.js", "api"]
CMD ["api"]

FROM tenantry
