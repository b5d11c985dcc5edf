# Names, addresses and paths of the node; sourced by the scripts beside it.
#
#   NODE_INDEX=1           a second node beside the first, with its own state, addresses, interface and cgroups (0 to 9)
#   NODE_PROXY=iptables    kube-proxy's mode (default nftables)
#   API_SERVER_FLAGS=…     further flags of kube-apiserver
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
index=${NODE_INDEX:-0}
suffix=
[ "$index" = 0 ] || suffix=$index
state=${POD_IDENTITY_WEBHOOK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pod-identity-webhook}/node
bin=$state/bin           # every program, each a link to where it was built
run=$state/run$suffix    # all that the running node writes; `down` removes it
name=node$suffix
interface=piw-host$suffix
cgroup=pod-identity-webhook$suffix
host_address=172.30.$((65 + index)).1    # the host's end of the link: `host.node` for pods
node_address=172.30.$((65 + index)).2
api_port=26443
etcd_port=26379          # in the node's own network namespace, as all further ones
registry_port=5000
service_net=10.$((196 + index))
services=$service_net.0.0/16
api_service=$service_net.0.1
dns_service=$service_net.0.10
pods=10.244.$((100 + index)).0/24
proxy=${NODE_PROXY:-nftables}

say() { echo "$*" >&2; }
fail() { say "$*"; exit 1; }

# A pid with its start time is never mistaken for a later process of the same number.
started() { cut -d' ' -f22 "/proc/$1/stat" 2>/dev/null; }
note_pid() { echo "$2 $(started "$2")" >"$run/$1.pid"; }
pid_of() {
  local pid since
  [ -f "$run/$1.pid" ] && read -r pid since <"$run/$1.pid" && [ -n "$since" ] && [ "$(started "$pid")" = "$since" ] && echo "$pid"
}

# Another checkout with another cache may hold the interface of the same index: whose it is stands in its alias.
owner() { cat "/sys/class/net/$interface/ifalias" 2>/dev/null; }

# The project's own Node, whatever the machine has.
node_program() {
  local found
  for found in "$here"/../../../node_modules/node-linux-*/bin/node; do
    if "$found" --version >/dev/null 2>&1; then
      realpath "$found"
      return
    fi
  done
  fail 'Node 24 is not in node_modules: run `npm ci` in the checkout first.'
}
