# The image: distroless Node, the bundle, and the names under which it is known as a command. No shell, no npm, no
# node_modules; runs as 65532 on a read-only root.
#
# A release pins both bases by digest (--build-arg BUILD_IMAGE=…@sha256:…) and sets SOURCE_DATE_EPOCH to its commit's time.
ARG BUILD_IMAGE=docker.io/library/node:24-trixie-slim
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian13:nonroot

# The bundle is the same for every platform, so no platform but the builder's own is emulated.
FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY deploy/image ./deploy/image
COPY src ./src
ARG VERSION=""
ARG COMMIT=""
RUN npm run bundle -- --version="${VERSION}" --commit="${COMMIT}"

FROM ${RUNTIME_IMAGE}
ARG VERSION=""
ARG COMMIT=""
LABEL org.opencontainers.image.title="pod-identity-webhook" \
      org.opencontainers.image.description="Gives Kubernetes pods the AWS identity of their ServiceAccount" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
COPY --from=build /build/dist/bundle/ /app/
COPY examples /app/examples
# Commands of amazon-eks-pod-identity-webhook's and kOps' manifests, and of OpenShift's.
COPY deploy/image/webhook /webhook
COPY deploy/image/webhook /usr/bin/aws-pod-identity-webhook
# glibc keeps a heap per thread else, up to eight per core: 5 to 10 MiB under load for nothing.
ENV MALLOC_ARENA_MAX=2
USER 65532:65532
WORKDIR /
EXPOSE 443 9999
# --no-maglev: V8's compiler between the interpreter and the last one takes 10 MiB for its work on a burst of reviews, and
# what it gains is over once the last one has been at it.
# --heap-growing-percent: V8 else lets garbage double the old space before it looks at it.
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=4", "--heap-growing-percent=10", "--no-maglev", "--disable-proto=delete", "/app/main.js"]
