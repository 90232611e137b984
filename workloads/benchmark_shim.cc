// The C shim over google-benchmark: see benchmark_shim.h.
//
// Three habits of Debian 12's google-benchmark 1.7.1 shape this file:
//  - it was built without NDEBUG, so it announces itself as a debug build (library_build_type in
//  its JSON,
//    a warning on the console). Its loop is inlined from the header into this file, which is
//    optimised, so the announcement says nothing about our figures; the plain mode leaves it as it
//    is.
//  - Repetitions() renames a benchmark ("/repeats:N"); repetitions are processes here, so it is not
//  used.
//  - flags have defaults from environment variables (BENCHMARK_REPETITIONS…), which must not reach
//  a cell.

#include "workloads/benchmark_shim.h"

#include <benchmark/benchmark.h>

#include <vector>

namespace
{

void RunOnce(benchmark::State &state, const shim_benchmark *bench)
{
    const auto iterations = static_cast<uint64_t>(state.max_iterations);
    if (const char *reason = bench->before(bench->context, iterations)) {
        state.SkipWithError(reason);
        return;
    }
    // Taken once: the batch is all the iterations there are.
    while (state.KeepRunningBatch(state.max_iterations)) {
        bench->timed(bench->context, iterations);
    }
    state.SetItemsProcessed(static_cast<int64_t>(iterations * bench->operations(bench->context)));
    if (const char *reason = bench->after(bench->context)) {
        state.SkipWithError(reason);
    }
}

auto *Register(const shim_benchmark *bench)
{
    return benchmark::RegisterBenchmark(bench->name,
                                        [bench](benchmark::State &state) { RunOnce(state, bench); })
        ->MeasureProcessCPUTime();
}

// Keeps the totals of the one run, and prints nothing.
class QuietReporter : public benchmark::BenchmarkReporter
{
  public:
    bool ReportContext(const Context &) override
    {
        return true;
    }

    void ReportRuns(const std::vector<Run> &runs) override
    {
        for (const Run &run : runs) {
            runs_++;
            failed_ = failed_ || Failed(run, 0);
            times_.cpu_ns = run.cpu_accumulated_time * 1e9;
            times_.wall_ns = run.real_accumulated_time * 1e9;
        }
    }

    bool Get(shim_times *times) const
    {
        *times = times_;
        return runs_ == 1 && !failed_;
    }

  private:
    // What tells that a run failed is called error_occurred up to google-benchmark 1.7, skipped
    // since 1.8. An overload with int is preferred to one with long for the argument 0, if the
    // member exists.
    template <typename AnyRun>
    static auto Failed(const AnyRun &run, int) -> decltype(run.error_occurred)
    {
        return run.error_occurred;
    }

    template <typename AnyRun> static bool Failed(const AnyRun &run, long)
    {
        return static_cast<bool>(run.skipped);
    }

    int runs_ = 0;
    bool failed_ = false;
    shim_times times_ = {};
};

} // namespace

extern "C" bool shim_time(const shim_benchmark *bench, uint64_t iterations, shim_times *times)
{
    // Said explicitly, so that the environment's defaults do not count.
    char program[] = "heapmill", repetitions[] = "--benchmark_repetitions=1",
         out[] = "--benchmark_out=", warmup[] = "--benchmark_min_warmup_time=0",
         counters[] = "--benchmark_perf_counters=", list[] = "--benchmark_list_tests=false",
         interleaving[] = "--benchmark_enable_random_interleaving=false";
    char *argv[] = {program, repetitions, out, warmup, counters, list, interleaving, nullptr};
    int argc = static_cast<int>(sizeof(argv) / sizeof(argv[0])) - 1;
    QuietReporter reporter;
    benchmark::Initialize(&argc, argv);
    Register(bench)->Iterations(static_cast<benchmark::IterationCount>(iterations));
    benchmark::RunSpecifiedBenchmarks(&reporter, "all");
    benchmark::Shutdown();
    return reporter.Get(times);
}

extern "C" int shim_main(int argc, char **argv, const shim_benchmark *benchmarks, size_t count,
                         void (*help)(void))
{
    benchmark::Initialize(&argc, argv, help);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 2;
    }
    for (size_t i = 0; i < count; i++) {
        auto *registered = Register(&benchmarks[i]);
        if (benchmarks[i].single_shot) {
            registered->Iterations(1);
        }
    }
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
