#!/usr/bin/env bash
# Checks docker-compose.yml and what kustomize makes of deploy/kubernetes by their schemas, which are inside the packages that check:
# by Kubernetes' oldest version that has all that is used, and a new one.
# usage: scripts/check-deploy.sh        with kustomize or kubectl, and pipx
set -euo pipefail
cd "$(dirname "$0")/.."

manifests=$(mktemp --directory)
trap 'rm -rf "$manifests"' EXIT

build() {
  if command -v kustomize > /dev/null; then kustomize build "$1"; else kubectl kustomize "$1"; fi
}

for folder in base example; do
  build "deploy/kubernetes/$folder" > "$manifests/$folder.yaml"
done
for version in 1.29 1.37; do
  pipx run kubernetes-validate==1.37.0 --strict --kubernetes-version "$version" "$manifests"/*.yaml
done
pipx run check-jsonschema==0.39.0 --builtin-schema vendor.compose-spec docker-compose.yml
