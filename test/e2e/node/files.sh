# What the node's programs read, written into the current directory ($run); sourced by `up` after env.sh.

write_keys() (
  mkdir -p pki && cd pki
  # RSA, as every cluster in the field: the tokens are RS256, which is what AWS STS takes.
  openssl genrsa -out service-accounts.key 2048 2>/dev/null
  openssl rsa -in service-accounts.key -pubout -out service-accounts.pub 2>/dev/null
  openssl ecparam -name prime256v1 -genkey -noout -out ca.key
  openssl req -x509 -new -key ca.key -subj /CN=kubernetes-ca -days 30 -out ca.crt \
    -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature 2>/dev/null
  issue api-server /CN=kube-apiserver \
    "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,DNS:localhost,IP:127.0.0.1,IP:$node_address,IP:$api_service"
  issue kubelet-server "/CN=$name" "DNS:$name,IP:$node_address"
  issue administrator /O=system:masters/CN=kubernetes-admin
  issue kubelet "/O=system:nodes/CN=system:node:$name"
  issue controller-manager /CN=system:kube-controller-manager
  issue scheduler /CN=system:kube-scheduler
  issue proxy /CN=system:kube-proxy
)

issue() {
  local file=$1 subject=$2 names=${3:-}
  openssl ecparam -name prime256v1 -genkey -noout -out "$file.key"
  openssl req -new -key "$file.key" -subj "$subject" -out "$file.csr"
  openssl x509 -req -in "$file.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out "$file.crt" 2>/dev/null -extfile <(
    echo keyUsage=critical,digitalSignature
    echo extendedKeyUsage=serverAuth,clientAuth
    [ -z "$names" ] || echo "subjectAltName=$names"
  )
}

write_kubeconfigs() {
  local user file
  for user in administrator kubelet controller-manager scheduler proxy; do
    file=kubeconfig.$user
    [ "$user" != administrator ] || file=kubeconfig
    (umask 077 && cat >"$file") <<Y
apiVersion: v1
kind: Config
clusters: [{name: node, cluster: {server: "https://$node_address:$api_port", certificate-authority-data: $(base64 -w0 pki/ca.crt)}}]
users: [{name: $user, user: {client-certificate-data: $(base64 -w0 "pki/$user.crt"), client-key-data: $(base64 -w0 "pki/$user.key")}}]
contexts: [{name: node, context: {cluster: node, user: $user}}]
current-context: node
Y
  done
}

write_configurations() {
  echo "nameserver $host_address" >resolv.conf
  # oomScoreAdj and maxOpenFiles: lower scores and higher limits than the caller's need CAP_SYS_RESOURCE.
  # imageGC, evictionHard: the state of the host's disk is no reason to end a test's pod.
  cat >kubelet.yaml <<Y
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $node_address
readOnlyPort: 0
tlsCertFile: $run/pki/kubelet-server.crt
tlsPrivateKeyFile: $run/pki/kubelet-server.key
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $run/pki/ca.crt}}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix://$run/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: /$cgroup
failCgroupV1: false
failSwapOn: false
maxOpenFiles: 20000
oomScoreAdj: 0
volumePluginDir: $run/kubelet/volume-plugins
clusterDNS: [$dns_service]
clusterDomain: cluster.local
resolvConf: $run/resolv.conf
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: "0%", nodefs.available: "0%", nodefs.inodesFree: "0%", imagefs.available: "0%"}
nodeStatusUpdateFrequency: 5s
Y
  # conntrack: its limit cannot be set outside of the first network namespace.
  cat >kube-proxy.yaml <<Y
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $run/kubeconfig.proxy}
hostnameOverride: $name
mode: $proxy
clusterCIDR: $pods
oomScoreAdj: 0
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
Y
  # restrict_oom_score_adj: without CAP_SYS_RESOURCE every sandbox fails otherwise. enable_unprivileged_ports: off is the
  # default before containerd 2.0; spelled out, so that ports below 1024 are reserved with any version.
  cat >containerd.toml <<Y
version = 2
root = "$run/containerd/root"
state = "$run/containerd/state"
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
[grpc]
  address = "$run/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:node"
  restrict_oom_score_adj = true
  disable_apparmor = true
  disable_hugetlb_controller = true
  enable_unprivileged_ports = false
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$run/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
Y
  # ptp, not bridge: pods that call a Service whose pod is on the same bridge would need bridge-nf-call-iptables.
  mkdir -p cni/net.d
  cat >cni/net.d/10-node.conflist <<Y
{"cniVersion": "0.4.0", "name": "node", "plugins": [
  {"type": "ptp", "ipMasq": false, "mtu": 1500, "ipam": {"type": "host-local", "ranges": [[{"subnet": "$pods"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
Y
}
