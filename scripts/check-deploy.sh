#!/usr/bin/env bash
# Validates docker-compose.yml and the output of kustomize for deploy/kubernetes against their schemas: those of the oldest
# supported Kubernetes version, and of a recent one.
# usage: scripts/check-deploy.sh        needs pipx, and kustomize or kubectl
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
