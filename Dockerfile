# Builds with everything, then takes only what runs: node, the compiled server and its packages.
#
#   docker build -t rat-memcached .
#   docker run -p 127.0.0.1:11211:11211 -v rat-memcached:/data rat-memcached -m 256
#
# The disk tier lies in /data, which a volume keeps; --no-l2 does without it.
# test/docker.sh carries out these steps without a container engine.

FROM node:26-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY bin bin
COPY src src
RUN npm run build
RUN npm prune --omit=dev

FROM node:26-slim
ENV NODE_ENV=production
WORKDIR /app
COPY LICENSE package.json ./
COPY config config
COPY docker docker
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
# The server starts in /data, so its data directory is /data/rat-memcached-data unless it is told
# another. Any user may write there, for who runs the image as another one.
RUN mkdir -m 1777 /data
VOLUME /data
WORKDIR /data
# It needs no user of a name, no home and nothing else that it could write to.
USER 11211:11211
EXPOSE 11211
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["node", "/app/docker/healthcheck.mjs"]
# A first argument with a leading "-" goes to the server; anything else is a command to run instead.
ENTRYPOINT ["/app/docker/entrypoint.sh"]
