#!/usr/bin/env bash
# Builds Kubernetes' own programs from Go modules, pinned by the go.mod and go.sum files beside this script, into a
# cache outside the checkout. Progress goes to stderr; stdout has one line for each program: its name, a blank, its path.
#
#   build.sh [NAME...]     default: etcd kube-apiserver kubectl kube-controller-manager
#
# A program that exists is not built again; two runs at once do not disturb each other. Where KUBEBUILDER_ASSETS is set
# (the directory of controller-runtime's setup-envtest), etcd, kube-apiserver and kubectl are taken from there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
names=("$@")
[ ${#names[@]} -gt 0 ] || names=(etcd kube-apiserver kubectl kube-controller-manager)
assets=${KUBEBUILDER_ASSETS:-}

say() { echo "$*" >&2; }
fail() { say "$*"; exit 1; }

for name in "${names[@]}"; do
  case $name in
    etcd | kube-apiserver | kubectl)
      [ -z "$assets" ] || [ -x "$assets/$name" ] ||
        fail "KUBEBUILDER_ASSETS=\"$assets\" has no program $name: point it at the output of setup-envtest, or unset it to build from Go modules." ;;
    kube-controller-manager | kube-scheduler | kube-proxy | kubelet) ;;
    *) fail "\"$name\" is not a program that this script builds: etcd, kubectl, kubelet or kube-{apiserver,controller-manager,scheduler,proxy}." ;;
  esac
done

hash_of() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi; }
key=$(cat go.mod go.sum etcd/go.mod etcd/go.sum etcd/main.go | hash_of | cut -c1-16)
cache=${POD_IDENTITY_WEBHOOK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pod-identity-webhook}/control-plane/$key
mkdir -p "$cache"

# The kubelet and the API server compare versions, and clients print them: a build without a stamp says v0.0.0-master.
version=$(sed -n 's/^require k8s.io\/kubernetes //p' go.mod)
minor=${version#v1.}
stamp="-s -w"
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  stamp+=" -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*} -X $package.gitTreeState=clean"
done

# Built beside its place and moved there, so that nobody ever starts half a program.
build() {
  local name=$1 half=$cache/.$1.$$ began=$SECONDS
  command -v go >/dev/null ||
    fail "$name is built with Go $(sed -n 's/^go //p' go.mod) or newer, and there is no go on the PATH: install it from https://go.dev/dl, or set KUBEBUILDER_ASSETS to the output of setup-envtest."
  say "building $name (minutes when Go's caches are empty)"
  export CGO_ENABLED=0 GOFLAGS="-mod=readonly -buildvcs=false -trimpath"
  case $name in
    etcd) (cd etcd && go build -ldflags "-s -w" -o "$half" .) ;;
    *) go build -ldflags "$stamp" -o "$half" "k8s.io/kubernetes/cmd/$name" ;;
  esac
  mv "$half" "$cache/$name"
  say "built $name in $((SECONDS - began)) s"
}

# One build at a time for a cache: a second run waits for the first instead of doing the same work. Without flock
# (macOS) both would work, each moving a whole program into place.
exec 9>"$cache/.lock"
if command -v flock >/dev/null && ! flock --nonblock 9; then
  say "waiting for another run that builds into $cache"
  flock 9
fi
trap 'rm -f "$cache"/.*.$$' EXIT
for name in "${names[@]}"; do
  if [ -n "$assets" ] && [ -x "$assets/$name" ]; then
    echo "$name $assets/$name"
  elif [ -n "$assets" ] && ! [ -x "$cache/$name" ] && ! command -v go >/dev/null; then
    say "KUBEBUILDER_ASSETS=\"$assets\" has no $name, and there is no go to build it: what needs it says so."
  else
    [ -x "$cache/$name" ] || build "$name"
    echo "$name $cache/$name"
  fi
done
