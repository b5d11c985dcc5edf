#!/usr/bin/env bash
# Builds what the node runs, into the cache outside the checkout: Kubernetes' programs by test/cluster/build/build.sh,
# and beside them CoreDNS, the pause program and helm. Progress goes to stderr; stdout has one line for each program:
# its name, a blank, its path. A program that exists is not built again.
#
#   build.sh [NAME...]     default: all but helm
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
helm_version=v3.22.0
kubernetes=() others=()
[ $# -gt 0 ] || set -- etcd kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl coredns pause
for name in "$@"; do
  case $name in
    coredns | pause | helm) others+=("$name") ;;
    *) kubernetes+=("$name") ;;
  esac
done

key=$( (cat coredns/go.mod coredns/go.sum coredns/main.go pause/go.mod pause/main.go && echo "$helm_version") | sha256sum | cut -c1-16)
cache=${POD_IDENTITY_WEBHOOK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pod-identity-webhook}/node-programs/$key
mkdir -p "$cache"

say() { echo "$*" >&2; }
fail() { say "$*"; exit 1; }

# Built beside its place and moved there, so that nobody ever starts half a program.
build() {
  local name=$1 half=$cache/.$1.$$ began=$SECONDS
  command -v go >/dev/null || fail "$name is built with Go $(sed -n 's/^go //p' pause/go.mod) or newer, and there is no go on the PATH: install it from https://go.dev/dl."
  say "building $name (a minute or more when Go's caches are empty)"
  export CGO_ENABLED=0 GOFLAGS="-mod=readonly -buildvcs=false -trimpath"
  case $name in
    # helm's go.mod is the main one only where it is installed by name and version; go checks both against sum.golang.org.
    helm)
      GOFLAGS=-trimpath GOBIN=$half go install -ldflags "-s -w -X helm.sh/helm/v3/internal/version.version=$helm_version" \
        "helm.sh/helm/v3/cmd/helm@$helm_version"
      mv "$half/helm" "$cache/helm" && rmdir "$half"
      ;;
    *)
      (cd "$name" && go build -ldflags "-s -w" -o "$half" .)
      mv "$half" "$cache/$name"
      ;;
  esac
  say "built $name in $((SECONDS - began)) s"
}

[ ${#kubernetes[@]} -eq 0 ] || ../../cluster/build/build.sh "${kubernetes[@]}"
exec 9>"$cache/.lock"
flock 9
trap 'rm -rf "$cache"/.*.$$' EXIT
for name in ${others[@]+"${others[@]}"}; do
  [ -x "$cache/$name" ] || build "$name"
  echo "$name $cache/$name"
done
