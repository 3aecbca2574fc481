# docker build --build-arg source=… --build-arg version=… --build-arg commit=… --build-arg build=… -t tseliot .
#
# One line per instruction: scripts/check-image.sh runs them without a container engine.
ARG NODE_IMAGE=node:26-bookworm-slim
# Any image with Node 26 in its PATH; it needs no shell.
ARG RUNTIME_IMAGE=${NODE_IMAGE}

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
COPY LICENSE README.md ./
COPY src ./src
COPY web ./web
COPY loadTesting ./loadTesting
# Fills V8's compile cache, which halves the start time.
RUN NODE_COMPILE_CACHE=compile-cache ELIOT_SYMBOLS_CACHE_DIR=/tmp/warm-up PORT=0 timeout --preserve-status 5 node src/main.ts
ARG source= version= commit= build=
RUN node -p 'JSON.stringify((({ source, version, commit, build }) => ({ source, version, commit, build }))(process.env))' > version.json

FROM ${NODE_IMAGE} AS user
RUN groupadd --gid 10001 app && useradd --uid 10001 --gid app --home-dir /app --no-create-home --shell /usr/sbin/nologin app && mkdir /cache

FROM ${RUNTIME_IMAGE}
COPY --from=user /etc/passwd /etc/group /etc/
COPY --from=user --chown=10001:10001 /cache /tmp/cache
WORKDIR /app
# Owned by root and not writable for others.
COPY --from=build /app /app
# glibc's default of one malloc arena per thread would cost about 20 MB.
ENV NODE_ENV=production PORT=8000 ELIOT_HOST=0.0.0.0 MALLOC_ARENA_MAX=2 NODE_COMPILE_CACHE=compile-cache
# The user `app`, by number because Kubernetes' runAsNonRoot cannot resolve names.
USER 10001:10001
EXPOSE 8000
VOLUME /tmp/cache
HEALTHCHECK CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/__lbheartbeat__`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node"]
CMD ["src/main.ts"]
