# syntax=docker/dockerfile:1

# The binary is static (no C), so that it runs on an image with nothing else.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
# Modules first: they change less often than the code.
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS
ARG TARGETARCH
# The Go tool writes version and revision into the binary, from .git. Set this
# to false where the work tree is not a clone.
ARG BUILDVCS=true
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=$BUILDVCS -ldflags="-s -w" -o /usher ./cmd/usher

# The image has no shell to make a directory with an owner.
RUN mkdir -p /data && chmod 700 /data

# No shell, no package manager, user 65532. The root file system may be mounted
# read-only: usher writes to /data only, and the ready file, if asked for one.
FROM gcr.io/distroless/static-debian12:nonroot
LABEL org.opencontainers.image.title="usher" \
      org.opencontainers.image.description="SCIM 2.0 provisioning gateway" \
      org.opencontainers.image.source="https://github.com/usher-scim/usher" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /usher /usher
COPY --from=build --chown=65532:65532 /data /data
USER 65532:65532

# Inside a container loopback reaches nobody. The main listener may leave it
# only with TLS (USHER_TLS_CERT, USHER_TLS_KEY) or behind a proxy that ends TLS
# (USHER_TRUSTED_PROXIES), and needs USHER_PUBLIC_URL; without these usher
# refuses to start and says so. See deploy/compose.yaml.
ENV USHER_LISTEN=0.0.0.0:8080 \
    USHER_METRICS_LISTEN=0.0.0.0:9090 \
    USHER_DATA_DIR=/data
# What usher keeps when USHER_REDIS_URL is not set. Name the volume, so that a new
# container finds it: docker run -v usher:/data
VOLUME /data
# 8080: SCIM, REST and probes. 9090: metrics and probes, not for the internet.
EXPOSE 8080 9090

# Asks /healthz on the metrics listener, which is plain HTTP even with TLS on
# the main one.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["/usher", "healthcheck"]

# SIGTERM drains for up to 15 seconds: give it at least 20 before SIGKILL.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usher"]
CMD ["serve"]
