# The image of `dr` alone. docker build --tag dr:0.1.0 .
FROM rust:1.95.0-slim-trixie AS build
# The pinned toolchain without the components that only a developer needs.
ENV RUSTUP_TOOLCHAIN=1.95.0
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package dr --bin dr

FROM debian:trixie-slim
# pg_dump takes the schema of a dump; it must not be older than the server (trixie: 17).
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates postgresql-client \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/target/release/dr /usr/local/bin/dr
COPY LICENSE /usr/share/doc/dr/LICENSE
# Nobody in particular; a number, so that Kubernetes can see that it is not root.
USER 65532:65532
WORKDIR /tmp
ENTRYPOINT ["dr"]
CMD ["--help"]
