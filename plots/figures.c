/* The table of figures. How to add one: CONTRIBUTING.md, "Add a figure". */
#include <stddef.h>
#include <string.h>

#include "figure_scripts.h" /* made by CMake: script_NAME for each NAME.gp */
#include "plots/figure.h"

/* clang-format off */
const struct figure figure_table[] = {
    /* name, what it shows, what it needs, draw function, command, script */
    {"bars", "bars per workload with intervals and every round: ratios, and the metric itself",
     "any run", bars_draw, NULL, script_bars},
    {"binding", "call over inline and call-sized over call: the price of the binding, the worth of knowing the size",
     "back ends in two arms", binding_draw, NULL, script_binding},
    {"collector", "collector time against live objects, and time against the longest pause",
     "workloads of objects", collector_draw, NULL, script_curves},
    {"drain", "held memory after a drop, over operations or idle seconds",
     "the memory pass of a workload that drops what it holds", drain_draw, NULL, script_curves},
    {"floating", "garbage that the collector has not found yet, over operations, by collector",
     "the memory pass of workloads of objects", floating_draw, NULL, script_curves},
    {"heatmap", "back end × workload: the ratio to the base, of whole times and net of null",
     "any run", heatmap_draw, NULL, script_heatmap},
    {"latency", "percentiles of single calls up to the slowest, an image a workload",
     "the latency pass", latency_draw, NULL, script_curves},
    {"memory", "live, usable, held and resident memory over operations, an image a workload",
     "the memory pass", memory_draw, NULL, script_memory},
    {"pareto", "time against peak held memory, with the Pareto front",
     "the time and the memory pass", pareto_draw, NULL, script_pareto},
    {"pauses", "percentiles of the collector's pauses, by collector",
     "workloads of objects", pauses_draw, NULL, script_curves},
    {"scaling", "time per operation against live bytes and against threads, where a run varies them",
     "several live sizes, or thread counts", scaling_draw, NULL, script_curves},
    {"map", "arenas, pools and blocks by state while a workload runs",
     "nothing: it runs one", NULL, "heapmill map", script_map},
    {"waste", "what size classes waste within a block, by size",
     "nothing: it asks the back ends", NULL, "heapmill waste", script_curves},
    {"trace", "live bytes of a trace over events, its sizes, lifetimes and reuse",
     "nothing: it reads a trace", NULL, "heapmill trace info --plot", script_curves},
    {"power", "how often a slowdown of a known size is found",
     "nothing: it measures", NULL, "heapmill calibrate", script_power},
    {"leaks", "which detector finds which kind of leak, and what it costs",
     "nothing: it runs them", NULL, "heapmill leaks --plot", script_leaks_heat},
    {"survival", "how long planted bugs survive each engine",
     "a score", NULL, "heapmill fuzz plot", script_curves},
    {"survival-bugs", "how long each planted bug survives each engine",
     "a score", NULL, "heapmill fuzz plot", script_curves},
    {"bugs", "which engine finds which planted bug, and how soon",
     "a score", NULL, "heapmill fuzz plot", script_fuzz_heat},
    {"coverage", "edges and kept inputs over the time of a campaign",
     "a campaign", NULL, "heapmill fuzz plot", script_curves},
    {"speed", "executions and operations per CPU second of a campaign",
     "a campaign", NULL, "heapmill fuzz plot", script_curves},
    {"trace", "live bytes over the events of a trace, its sizes and its lifetimes",
     "a trace", NULL, "heapmill report FILE.hmtrace", script_curves},
    {"story", "a series of the story's own experiments",
     "nothing: it runs them", NULL, "heapmill story", script_curves},
    {.name = NULL},
};
/* clang-format on */

const struct figure *figure_find(const char *name)
{
    const struct figure *figure = figure_table;
    while (strcmp(figure->name, name) != 0) {
        figure++;
    }
    return figure;
}

json_t *plot_list_figures(void)
{
    json_t *rows = json_array();
    for (const struct figure *figure = figure_table; figure->name != NULL; figure++) {
        const char *command = figure->command != NULL ? figure->command : "heapmill plot";
        (void)json_array_append_new(rows, json_pack("{ss ss ss ss}", "name", figure->name,
                                                    "summary", figure->summary, "needs",
                                                    figure->needs, "command", command));
    }
    return rows;
}
