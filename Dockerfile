# Builds with everything, then takes only what runs: node, the compiled server and its packages.
#
#   docker build -t rat-memcached .
#   docker run -p 127.0.0.1:11211:11211 -v rat-memcached:/data rat-memcached -m 256
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges … works as well.
#
# The disk tier lies in /data, which a volume keeps; --no-l2 does without it.
# test/docker.sh carries out these steps without a container engine.

# Built on the processor at hand, whatever the image is for: compiled JavaScript is the same for all.
FROM --platform=$BUILDPLATFORM node:26-slim AS build
ARG TARGETARCH
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY bin bin
COPY src src
COPY web web
RUN npm run build && chmod 755 dist/bin/rat-memcached.js
# Only what the server needs, and that for the processor of the image; nothing of it runs here.
RUN arch="${TARGETARCH:-$(dpkg --print-architecture)}" && npm ci --omit=dev --ignore-scripts --os=linux --libc=glibc --cpu="$(echo "$arch" | sed 's/^amd64$/x64/')"

FROM node:26-slim
LABEL org.opencontainers.image.title="rat-memcached" \
      org.opencontainers.image.description="A memcached server that keeps its contents: memory and disk" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
COPY LICENSE package.json ./
COPY config config
COPY docker docker
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
# The server starts in /data, so its data directory is /data/rat-memcached-data unless it is told
# another. Any user may write there, for who runs the image as another one.
RUN mkdir -m 1777 /data && ln -s /app/dist/bin/rat-memcached.js /usr/local/bin/rat-memcached
VOLUME /data
WORKDIR /data
# It needs no user of a name, no home and nothing else that it could write to.
USER 11211:11211
EXPOSE 11211
# What is in memory only is written to disk before it stops: give it the time, with --stop-timeout.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["node", "/app/docker/healthcheck.mjs"]
# A first argument with a leading "-", or a command of the program, goes to the program; anything
# else is a command to run instead.
ENTRYPOINT ["/app/docker/entrypoint.sh"]
