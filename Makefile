# A thin face on CMake, for those who type make. `make` alone builds; build/bin/vmcommit then has
# these commands and more, with their options: build/bin/vmcommit --help.
#   make                            build
#   make bench PROFILE=default      measure and draw: quick, default or full; RESULTS=folder;
#                                   LIBRARY=mine.so, ALLOCATOR=file or system: measure these too
#   make bench CAMPAIGN=commit      one question in full: commit, release, surroundings or threads
#   make bench RECORDING=folder     what other ways to commit, and to give back, make of what record
#                                   wrote there
#   make compare BASE=main          what got slower against that revision, measured in turn;
#                                   CELLS=commit, release or threads: of these questions;
#                                   RECORDING=folder: of replaying what record wrote there too,
#                                   CELLS=recording: of that alone, in every way
#   make baseline NAME=x            store a baseline; make compare BASELINE=x compares with it
#   make trend                      times over all comparisons so far, and where changes began
#   make report                     draw results/latest again
#   make bench-wine                 the quick profile through Wine, into results/wine
#   make verify                     hold the counts against strace, perf and /proc
#   make overhead                   measure what the harness itself adds
#   make test                       build, and run every test that this machine can run
#   make test-fast                  the same without what measures
#   make test-wine                  cross-build for Windows, and run the tests under Wine
#   make lint                       formatting, Python, types, shell scripts; builds nothing
#   make clean                      remove all build folders

export VMCOMMIT_PROFILE = $(PROFILE)
export VMCOMMIT_CAMPAIGN = $(CAMPAIGN)
export VMCOMMIT_RESULTS = $(RESULTS)
export VMCOMMIT_BASE = $(BASE)
export VMCOMMIT_CELLS = $(CELLS)
export VMCOMMIT_RECORDING = $(RECORDING)
export VMCOMMIT_BASELINE = $(BASELINE)
export VMCOMMIT_NAME = $(NAME)
export VMCOMMIT_LIBRARY = $(LIBRARY)
export VMCOMMIT_ALLOCATOR = $(ALLOCATOR)

all: build/build.ninja
	@cmake --build build

build/build.ninja: | cmake-is-there
	@cmake --preset release

cmake-is-there:
	@command -v cmake >/dev/null || { echo "make: no cmake here: run ./scripts/setup.sh" >&2; exit 1; }

baseline bench compare report trend verify overhead: build/build.ninja
	@cmake --build build --target $@

build-windows/build.ninja: | cmake-is-there
	@cmake --preset windows

bench-wine: build-windows/build.ninja
	@cmake --build build-windows --target $@

test-wine: build-windows/build.ninja
	@cmake --build build-windows
	@ctest --preset windows

test: all
	@ctest --preset release

test-fast: all
	@ctest --preset release --label-exclude bench

lint:
	@./scripts/lint.sh

clean:
	rm -rf build build-clang build-compare build-debug build-asan build-asan-* build-windows

.PHONY: all baseline bench bench-wine clean cmake-is-there compare lint overhead report test \
        test-fast test-wine trend verify
