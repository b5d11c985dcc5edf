#!/usr/bin/env bash
# Builds Helm 3 and Helm 4 from Go modules, pinned by the go.mod and go.sum files beside this script, into a cache outside
# the checkout. Progress goes to stderr; stdout has one line for each program: its name, a blank, its path.
#
#   build.sh [helm3] [helm4]     default: both
#
# A program that exists is not built again; a second run at the same time waits for the first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
names=("$@")
[ ${#names[@]} -gt 0 ] || names=(helm3 helm4)

say() { echo "$*" >&2; }
fail() { say "$*"; exit 1; }
hash_of() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi; }
root=${POD_IDENTITY_WEBHOOK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pod-identity-webhook}/helm

for name in "${names[@]}"; do
  case $name in
    helm3 | helm4) ;;
    *) fail "\"$name\" is not a program that this script builds: helm3 or helm4." ;;
  esac
  key=$(cat build.sh "$name/go.mod" "$name/go.sum" | hash_of | cut -c1-16)
  mkdir -p "$root"
  program=$root/$name-$key
  exec 9>"$root/.lock"
  # Without flock (macOS) two runs would both build, each moving a whole program into place.
  if command -v flock >/dev/null && ! flock --nonblock 9; then
    say "waiting for another run that builds into $root"
    flock 9
  fi
  if ! [ -x "$program" ]; then
    command -v go >/dev/null ||
      fail "$name is built with Go $(sed -n 's/^go //p' "$name/go.mod") or newer, and there is no go on the PATH: install it from https://go.dev/dl."
    began=$SECONDS
    say "building $name (minutes when Go's caches are empty)"
    module=$(sed -n 's/^require \(helm.sh[^ ]*\) .*/\1/p' "$name/go.mod")
    version=$(sed -n 's/^require helm.sh[^ ]* //p' "$name/go.mod")
    # As Helm's own Makefile: unstamped, Helm 3 renders for Kubernetes 1.20, and neither knows its own version.
    minor=$(sed -n 's/^\trequire k8s.io\/client-go v0\.\([0-9]*\).*/\1/p; s/^\tk8s.io\/client-go v0\.\([0-9]*\).*/\1/p' "$name/go.mod")
    stamp="-s -w -X $module/internal/version.version=$version -X $module/internal/version.gitTreeState=clean"
    for package in pkg/chartutil pkg/lint/rules pkg/chart/common internal/version; do
      stamp+=" -X $module/$package.k8sVersionMajor=1 -X $module/$package.k8sVersionMinor=$minor"
    done
    (cd "$name" && CGO_ENABLED=0 GOFLAGS="-mod=readonly -buildvcs=false -trimpath" \
      go build -ldflags "$stamp" -o "$program.$$" "$module/cmd/helm")
    # Built beside its place and moved there, so that nobody ever starts half a program.
    mv "$program.$$" "$program"
    say "built $name in $((SECONDS - began)) s"
  fi
  exec 9>&-
  echo "$name $program"
done
