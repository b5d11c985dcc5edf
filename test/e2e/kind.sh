#!/usr/bin/env bash
# The end-to-end tests on kind: three nodes, so that nodes can be drained; the image as the Dockerfile makes it.
#
#   test/e2e/kind.sh [kindest/node:v…@sha256:…] [-- what Jest is to run]     the node image; kind's own unless given
#
# Needs docker, kind, Go (helm and kubectl are built from their modules) and `npm ci` in the checkout. The cluster is
# gone at the end, but with KEEP_CLUSTER=1; where a test failed its logs stay in E2E_LOGS (default: a temporary directory).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
name=pod-identity-webhook-e2e
image=localhost/pod-identity-webhook:e2e
node_image=()
[ $# -eq 0 ] || [ "$1" = -- ] || { node_image=(--image="$1"); shift; }
[ "${1:-}" != -- ] || shift
for program in docker kind; do
  command -v $program >/dev/null || { echo "$program is not on the PATH: install it first." >&2; exit 1; }
done
directory=$(mktemp -d)
logs=${E2E_LOGS:-$directory/logs}
export KUBECONFIG=$directory/kubeconfig

down() {
  local status=$?
  if [ $status -ne 0 ]; then
    kind export logs "$logs" --name=$name >/dev/null 2>&1 && echo "The logs are in $logs." >&2
  fi
  if [ "${KEEP_CLUSTER:-}" = 1 ]; then
    echo "The cluster runs: export KUBECONFIG=$KUBECONFIG; kind delete cluster --name=$name ends it." >&2
  else
    kind delete cluster --name=$name
    [ $status -ne 0 ] || rm -rf "$directory"
  fi
}

docker build --build-arg COMMIT=e2e --tag "$image" .
trap down EXIT
kind create cluster --name=$name --wait=180s ${node_image[@]+"${node_image[@]}"} --config=/dev/stdin <<'Y'
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes: [{role: control-plane}, {role: worker}, {role: worker}]
Y
kind load docker-image "$image" --name=$name
E2E_IMAGE=$image E2E_ENTER='docker exec' npm run test:e2e -- "$@"
