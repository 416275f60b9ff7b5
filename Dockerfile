# The sandbox in a container. The first stage builds the wheel and an environment with everything in it; the second is
# the base image and that environment: no pip of ours, no compiler, no source tree.
#
#   docker build -t patchworks-sandbox .
#   docker run --rm -p 127.0.0.1:8025:8025 patchworks-sandbox
#
# Any base will do that has Python 3.10 or newer with the module venv under the name python3.
ARG BASE_IMAGE=docker.io/library/python:3.13-slim

FROM ${BASE_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_NO_INPUT=1 \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /src

# Dependencies first: they change less often than the code. Wheels only, so nothing runs while they are installed.
COPY requirements.lock requirements-build.lock ./
RUN python3 -m venv /build \
 && /build/bin/python -m pip install --quiet --only-binary :all: --require-hashes -r requirements-build.lock \
 && python3 -m venv --without-pip /opt/patchworks-sandbox \
 && /build/bin/python -m pip --python /opt/patchworks-sandbox/bin/python install --quiet --no-compile \
      --only-binary :all: --require-hashes -r requirements.lock

# Bytecode is compiled here, because the root file system is read-only later and compiling costs more than a second of
# every start. No file in there is edited, so Python need not look whether a source is newer. Files that nothing reads at
# run time go: sources of extensions, stubs for type checkers, lists of installed files, the pages of Werkzeug's debugger,
# and two builds of Swagger UI that no page loads.
COPY pyproject.toml README.md LICENSE ./
COPY fixtures fixtures
COPY sandbox sandbox
COPY patchworks_sandbox_pytest.py ./
RUN /build/bin/python -m build --wheel --no-isolation --outdir /dist \
 && /build/bin/python -m pip --python /opt/patchworks-sandbox/bin/python install --quiet --no-compile \
      --no-deps --no-index /dist/*.whl \
 && find /opt/patchworks-sandbox/lib -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.[ch]' \
      -o -name swagger-ui.js -o -name swagger-ui-standalone-preset.js -o -path '*.dist-info/RECORD' \
      -o -path '*/werkzeug/debug/shared/*' \) -delete \
 && /opt/patchworks-sandbox/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/patchworks-sandbox/lib \
 && mkdir -p /skeleton/data/tls && chmod -R g=u /skeleton/data


FROM ${BASE_IMAGE}
# BASE_IMAGE as the label's value; the release workflow gives the others.
ARG BASE_IMAGE
ARG VERSION=
ARG REVISION=
ARG SOURCE=
LABEL org.opencontainers.image.title="Patchworks Sandbox" \
      org.opencontainers.image.description="An emulator of the Patchworks Inbound API for tests" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"

COPY --from=build /opt/patchworks-sandbox /opt/patchworks-sandbox
# The only place that its user may write to: mount a volume here for whatever must outlive the container.
# A volume on /data/tls alone takes over its owner, for `--tls-folder /data/tls`. OpenShift chooses the user and has the
# group 0, which may write here too.
COPY --from=build --chown=10001:0 /skeleton/ /

# Loopback would be the container's own: nobody could reach it. From in here nobody can tell who reaches this, so the
# control API needs a key, as anywhere beyond loopback: the one given, else one that is made and printed. Health needs none.
ENV PATH=/opt/patchworks-sandbox/bin:${PATH} \
    PATCHWORKS_SANDBOX_HOST=0.0.0.0 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /data
# A number, so that Kubernetes can see that it is not root; it needs no entry in /etc/passwd.
USER 10001:10001
EXPOSE 8025
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=15s --retries=3 CMD ["patchworks-sandbox", "health"]
ENTRYPOINT ["patchworks-sandbox"]
CMD ["serve"]
