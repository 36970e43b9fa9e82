# The image holds one static binary, CA certificates and an empty data directory; no shell, no
# package manager, nothing to write to but the volume. Build it with:
#
#     docker build --build-arg VERSION=1.2.3 --build-arg REVISION=$(git rev-parse HEAD) -t automatond .
#
# or, for another architecture than this machine's, with --platform linux/arm64: the compiler runs
# here and emulates nothing.
#
# Where no registry can be reached, BASE names any local image with a Go toolchain, a shell,
# mkdir and the CA bundle, and a vendor directory (go mod vendor) replaces the module proxy.
ARG BASE=golang:1.26-bookworm

FROM --platform=$BUILDPLATFORM ${BASE} AS build
ARG TARGETOS
ARG TARGETARCH
ARG VERSION
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags="-s -w -X main.release=$VERSION" -o /out/automatond ./cmd/automatond \
 && mkdir -p -m 0700 /out/state/automatond

FROM scratch
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="automatond" \
      org.opencontainers.image.description="Runs the crons of Platform.sh / Upsun projects from outside their containers" \
      org.opencontainers.image.source="https://github.com/automatond/automatond" \
      org.opencontainers.image.documentation="https://github.com/automatond/automatond/blob/main/docs/container.md" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/automatond /bin/automatond
COPY --from=build --chown=65532:65532 /out/state/ /var/lib/
USER 65532:65532
# Where every command finds the data directory, so that none needs --data in here.
ENV STATE_DIRECTORY=/var/lib/automatond
VOLUME /var/lib/automatond
# Pages and metrics; probes, which never ask for credentials.
EXPOSE 8632 8633
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 CMD ["/bin/automatond", "healthcheck"]
ENTRYPOINT ["/bin/automatond"]
CMD ["run", "--config", "/etc/automatond"]
