# syntax=docker/dockerfile:1
# The command alone, in an image without a shell: static, with the certificates of public authorities.
#   docker build -t lineload .
#   docker run --rm -v "$PWD:/work" lineload lint

FROM rust:1.95.0-alpine3.22 AS build
# musl-dev and a C compiler for SQLite; cmake and perl for the cryptography of the AWS SDK.
# hadolint ignore=DL3018
RUN apk add --no-cache build-base cmake perl ca-certificates
WORKDIR /src
COPY . .
# The caches keep what is compiled between builds: the AWS SDK takes minutes.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin lineload \
    && install -D -m 0755 target/release/lineload /out/lineload \
    && strip /out/lineload

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/lineload /usr/bin/lineload
COPY LICENSE /usr/share/doc/lineload/LICENSE
# A journal and reports go to a directory that is mounted, and that this user may write to
# (`--user "$(id -u)"` otherwise).
USER 65532:65532
ENV PATH=/usr/bin
WORKDIR /work
ENTRYPOINT ["lineload"]
CMD ["--help"]
