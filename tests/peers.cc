/* What others measure for tests/peers.py: the calls and touches of `chunked`. With SIZE STEP CYCLES
 * it does them so often, for hyperfine; otherwise Google Benchmark does as it is told. */
#include <benchmark/benchmark.h>
#include <cctype>
#include <cstdlib>
#include <sys/mman.h>

static void cycle(size_t size, size_t step)
{
    void *region = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region == MAP_FAILED)
        abort();
    auto *bytes = static_cast<volatile unsigned char *>(region);
    for (size_t at = 0; at < size; at += 4096) {
        if (at % step == 0 &&
            mprotect(static_cast<char *>(region) + at, step, PROT_READ | PROT_WRITE) != 0)
            abort();
        bytes[at] = 1;
    }
    munmap(region, size);
}

static void chunked(benchmark::State &state)
{
    for (auto _ : state)
        cycle(static_cast<size_t>(state.range(0)), static_cast<size_t>(state.range(1)));
}
BENCHMARK(chunked)->Args({64 << 10, 16 << 10})->Args({1 << 20, 16 << 10})->Args({16 << 20, 64 << 10});

int main(int argc, char **argv)
{
    if (argc == 4 && isdigit(*argv[1])) {
        for (unsigned long left = strtoul(argv[3], nullptr, 10); left > 0; left--)
            cycle(strtoul(argv[1], nullptr, 10), strtoul(argv[2], nullptr, 10));
        return 0;
    }
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
