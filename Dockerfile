# All programs of jstpipe in one image; the compose service's command says which one runs.
#   docker build -t jstpipe .                          the programs
#   docker build -t jstpipe-sandbox --target sandbox . the stand-in for the API, for the demo and the tests
# There is no "syntax" line on purpose: the build asks no registry for anything but debian.
# Build arguments (compose hands them on from the shell or .env):
#   APT_MIRROR        a mirror of Debian's packages, by http, as tools/setup takes it; nothing else is fetched
#   JSTPIPE_VERSION   what the programs tell as their version, such as "$(git describe)": the build does not see git

FROM debian:trixie-slim AS base
ARG APT_MIRROR=
RUN if [ -n "$APT_MIRROR" ]; then \
      sed -Ei "s#[a-z+]+://[^ ]*/debian(-security)?/?( |\$)#${APT_MIRROR%/}\\1\\2#g" \
        $(find /etc/apt -name "*.list" -o -name "*.sources"); \
    fi


FROM base AS build
WORKDIR /src
# The list of packages is the one that `make setup` uses.
COPY tools/setup tools/packages.txt tools/
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(tools/setup --list build) \
 && rm -rf /var/lib/apt/lists/*
COPY CMakeLists.txt CMakePresets.json ./
COPY common common
COPY extractor extractor
COPY transformer transformer
COPY loader loader
COPY jstctl jstctl
ARG JSTPIPE_VERSION=
RUN cmake --preset release -DBUILD_TESTING=OFF -DJST_VERSION="$JSTPIPE_VERSION" >/dev/null \
 && cmake --build --preset release -- --quiet \
 && cmake --install build/release --component programs --prefix /image/usr/local --strip
COPY --chmod=755 deploy/docker/jst-get /image/usr/local/bin/
COPY pipelines /image/etc/jstpipe/pipelines
COPY topics.conf /image/etc/jstpipe/
# Readable for everybody, whatever the umask of the clone was.
RUN chmod -R a+rX,go-w /image


FROM base AS sandbox
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --user-group --no-create-home jst
COPY --chmod=755 sandbox /opt/sandbox
USER jst
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
EXPOSE 8090
ENTRYPOINT ["python3", "/opt/sandbox/server.py"]
CMD ["--listen", "0.0.0.0:8090"]


FROM base
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ca-certificates libcjson1 libcurl4t64 liblua5.4-0 libmariadb3 libmicrohttpd12t64 librdkafka1 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --user-group --home-dir /var/lib/jstpipe --no-create-home jst \
 && install -d -o jst -g jst -m 700 /var/lib/jstpipe
COPY --from=build /image /
# A program that lacks a library shall fail here and not on the server.
RUN for p in extractor transformer loader jstctl; do "$p" --version || exit 1; done
# pipelines and topics.conf are found here by their default names.
WORKDIR /etc/jstpipe
# The one thing that is kept beside Kafka and MySQL: the API's token. The extractor needs a volume there.
ENV JST_TOKEN_FILE=/var/lib/jstpipe/token.json
USER jst
EXPOSE 9101 9102 9103
CMD ["jstctl", "--help"]
