//go:build tools

// Names the program that build.sh builds, so that `go mod tidy` keeps what it needs in go.mod and go.sum.
package helm

import _ "helm.sh/helm/v3/cmd/helm"
