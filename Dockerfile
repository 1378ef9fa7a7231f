# docker build -t vmcommit . && docker run --rm -v "$PWD:/work" vmcommit
FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev cmake ninja-build \
    dpkg-dev file git python3-scipy python3-pandas python3-jinja2 python3-tqdm
COPY . /source
RUN cd /source && cmake --preset release && cmake --build build && cd build && cpack -G DEB
FROM debian:bookworm-slim
RUN --mount=from=build,source=/source/build,target=/built apt-get update && \
    apt-get install -y --no-install-recommends /built/vmcommit_*.deb
WORKDIR /work
ENTRYPOINT ["vmcommit"]
CMD ["bench", "--profile", "quick"]
