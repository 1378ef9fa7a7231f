# A thin face on CMake, for those who type make.
#   make                            build
#   make bench PROFILE=default      measure and draw: quick, default or full; RESULTS=folder
#   make report                     draw results/latest again
#   make overhead                   measure what the harness itself adds
#   make test                       build, and run every test that this machine can run

export VMCOMMIT_PROFILE = $(PROFILE)
export VMCOMMIT_RESULTS = $(RESULTS)

all: build/build.ninja
	@cmake --build build

build/build.ninja:
	@cmake --preset release

bench report overhead: build/build.ninja
	@cmake --build build --target $@

test: all
	@ctest --preset release

clean:
	rm -rf build build-debug build-asan

.PHONY: all bench report overhead test clean
