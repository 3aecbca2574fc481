# docker build --build-arg source=… --build-arg version=… --build-arg commit=… --build-arg build=… -t tseliot .
#
# scripts/check-image.sh does what stands here where there is no container engine: an instruction is one line.
ARG NODE_IMAGE=node:26-bookworm-slim
# What it runs on: any image with Node 26 in its PATH. No shell is needed there.
ARG RUNTIME_IMAGE=${NODE_IMAGE}

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
COPY LICENSE README.md ./
COPY src ./src
COPY web ./web
# What V8 compiles at a start and while the service warms up: later starts take half the time.
RUN NODE_COMPILE_CACHE=compile-cache ELIOT_SYMBOLS_CACHE_DIR=/tmp/warm-up PORT=0 timeout --preserve-status 5 node src/main.ts
ARG source= version= commit= build=
RUN node -p 'JSON.stringify((({ source, version, commit, build }) => ({ source, version, commit, build }))(process.env))' > version.json

FROM ${NODE_IMAGE} AS user
RUN groupadd --gid 10001 app && useradd --uid 10001 --gid app --home-dir /app --no-create-home --shell /usr/sbin/nologin app && mkdir /cache

FROM ${RUNTIME_IMAGE}
COPY --from=user /etc/passwd /etc/group /etc/
COPY --from=user --chown=10001:10001 /cache /tmp/cache
WORKDIR /app
# Of root, and nothing in it for others to write.
COPY --from=build /app /app
# With an arena of malloc for each thread, as glibc has it, the process holds some 20 MB more.
ENV NODE_ENV=production PORT=8000 ELIOT_HOST=0.0.0.0 MALLOC_ARENA_MAX=2 NODE_COMPILE_CACHE=compile-cache
# The user app, by number: Kubernetes' runAsNonRoot can't tell by name.
USER 10001:10001
EXPOSE 8000
VOLUME /tmp/cache
HEALTHCHECK CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/__lbheartbeat__`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node"]
CMD ["src/main.ts"]
