# One image for server, worker and agent: `ghapp server`, `ghapp worker`, `ghapp agent`.
ARG PYTHON=python:3.13-slim

FROM ${PYTHON} AS build
WORKDIR /src
RUN python -m venv /opt/ghapp
COPY requirements/ requirements/
RUN /opt/ghapp/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes \
        -r requirements/setup.txt -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY ghapp/ ghapp/
COPY jobs/ jobs/
COPY policies/ policies/
RUN /opt/ghapp/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation . \
    && /opt/ghapp/bin/pip uninstall --yes uv

FROM ${PYTHON}
# git reads and writes repositories; bubblewrap keeps steps apart; buildah builds what the layer builder cannot.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends bubblewrap buildah ca-certificates git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 65532 --user-group --no-create-home --home-dir /var/lib/ghapp ghapp \
    && install --directory --owner=65532 --group=65532 /var/lib/ghapp
COPY --from=build /opt/ghapp /opt/ghapp
ENV PATH=/opt/ghapp/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    GHAPP_DATA_DIR=/var/lib/ghapp
USER 65532:65532
WORKDIR /var/lib/ghapp
EXPOSE 8080
ENTRYPOINT ["ghapp"]
CMD ["server", "--host", "0.0.0.0"]
