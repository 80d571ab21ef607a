# One image for all programs: `mds serve`, `mds web`, `mds agent run` and the rest.
FROM python:3.11-slim AS build
WORKDIR /src
COPY . .
# The wheel brings what the pages take from npm along.
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 7400 --create-home mds
COPY --from=build /wheels /wheels
# Traces are off until OTEL_EXPORTER_OTLP_ENDPOINT says where to.
RUN pip install --no-cache-dir "$(echo /wheels/*.whl)[traces]" && rm -rf /wheels
USER mds
WORKDIR /home/mds
EXPOSE 7400 7401 7402
CMD ["mds", "serve"]
