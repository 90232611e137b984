#include "fuzz/campaign/session.h"

#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/host/files.h"
#include "common/host/json.h"
#include "common/host/process.h"
#include "fuzz/campaign/deviations.h"
#include "fuzz/campaign/exchange.h"
#include "fuzz/campaign/status_line.h"
#include "fuzz/campaign/trace_seeds.h"
#include "fuzz/deviation.h"

static const double SESSION_LOOK_S =
    0.5; /* between looks: ended members, findings, the status line */
static const double SESSION_SAMPLE_S = 5; /* between lines of events.jsonl for each member */
static const double SESSION_EXCHANGE_S =
    10; /* between exchanges of inputs, and readings of the disk's use */
static const double SESSION_GRACE_S = 5;    /* for an engine to write its files */
static const double SESSION_STALL_S = 120;  /* six times an input's own timeout */
static const double SESSION_FAST_END_S = 2; /* a member that ends sooner does not work at all */

/* One engine process, with its predecessors. */
struct session_member {
    struct fuzz_launch launch;
    char *name;
    size_t number;               /* among the campaign's engines */
    struct fuzz_progress before; /* the sum over its predecessors */
    uint64_t cpu_before_ns;
    unsigned starts;
    unsigned fast_ends; /* quick ends in a row */
    uint64_t seen;      /* executions and operations at their last change, */
    double seen_s;      /* and its time */
    bool retired;       /* it finds the same immediately whenever it is started */
};

struct session_state {
    const struct fuzz_session *session;
    struct session_member members[FUZZ_MEMBERS_MAX];
    struct process crew[FUZZ_MEMBERS_MAX];
    size_t count;
    uint64_t begin_ns;
    double wall_before_s;      /* the time of earlier sessions */
    struct text_list findings; /* names in findings/ that events.jsonl has */
    size_t findings_new;
    struct fuzz_exchange exchange;
    struct fuzz_status_line line;
    uint64_t session_number;
};

const char *fuzz_session_end_name(enum fuzz_session_end end)
{
    static const char *const names[] = {"time", "interrupted", "disk", "findings", "engines"};
    return names[end];
}

static double session_seconds(const struct session_state *state)
{
    return (double)(clock_wall_ns() - state->begin_ns) / 1e9;
}

/* Reads the time and the findings of earlier sessions from the log. */
static void session_recall(struct session_state *state)
{
    size_t index;
    const json_t *line;
    json_array_foreach(state->session->log->lines, index, line)
    {
        const char *event = json_string_value(json_object_get(line, "event"));
        double wall = json_number_value(json_object_get(line, "wall_s"));
        state->wall_before_s = wall > state->wall_before_s ? wall : state->wall_before_s;
        if (event != NULL && strcmp(event, "finding") == 0) {
            const char *file = json_string_value(json_object_get(line, "file"));
            text_list_add(&state->findings, text_format("%s", file != NULL ? file : ""));
        } else if (event != NULL && strcmp(event, "begin") == 0) {
            state->session_number++;
        }
    }
    state->session_number++;
}

static enum status session_log(struct session_state *state, json_t *line, struct error *error)
{
    (void)json_object_set_new(line, "session", json_integer((json_int_t)state->session_number));
    (void)json_object_set_new(line, "wall_s",
                              json_real(state->wall_before_s + session_seconds(state)));
    return fuzz_log_append(state->session->log, line, error);
}

static enum status session_start_member(struct session_state *state, size_t index,
                                        struct error *error)
{
    struct session_member *member = &state->members[index];
    struct crew_job job;
    /* With the same seed a restarted member would repeat its inputs. */
    member->launch.seed = state->session->seed + member->number + 1000 * (uint64_t)member->starts +
                          1000000 * (state->session_number - 1);
    enum status status = fuzz_engine_prepare(&member->launch, &job, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = crew_start(&job, &state->crew[index], error);
    member->starts++;
    member->launch.resumed = true; /* AFL++'s directory exists now */
    crew_job_free(&job);
    return status;
}

/* A new campaign's corpus, where it begins with a trace. */
static enum status session_seed(const struct fuzz_session *session, struct error *error)
{
    if (session->resumed || session->trace[0] == '\0') {
        return STATUS_OK;
    }
    size_t count;
    uint64_t operations = session->operations;
    for (size_t i = 0; i < session->member_count && session->operations == 0; i++) {
        uint64_t own = fuzz_engine_operations(session->engines[i]);
        operations = operations == 0 || own < operations ? own : operations;
    }
    char *corpus = text_format("%s/corpus", session->directory);
    enum status status = fuzz_trace_seeds(session->trace, corpus, operations, &count, error);
    free(corpus);
    return status;
}

static enum status session_start(struct session_state *state, struct error *error)
{
    const struct fuzz_session *session = state->session;
    bool afl = false;
    bool libfuzzer = false;
    for (size_t i = 0; i < session->member_count; i++) {
        afl = afl || fuzz_engine_is_afl(session->engines[i]);
        libfuzzer = libfuzzer || session->engines[i] == FUZZ_ENGINE_LIBFUZZER;
    }
    state->exchange.active = afl && libfuzzer;
    enum status status = session_seed(session, error);
    for (size_t i = 0; i < session->member_count && status == STATUS_OK; i++) {
        struct session_member *member = &state->members[state->count];
        unsigned same = 0;
        if (session->alone && i != session->member) {
            continue;
        }
        member->number = i;
        for (size_t j = 0; j < i; j++) {
            same += session->engines[j] == session->engines[i];
        }
        member->launch = (struct fuzz_launch){
            .catalog = session->catalog,
            .program = session->program,
            .engine = session->engines[i],
            .fast = session->fast,
            .directory = session->directory,
            .index = same,
            .operations = session->operations > 0 ? session->operations
                                                  : fuzz_engine_operations(session->engines[i]),
            .subject = session->subject,
            .shared = state->exchange.active,
            .seeded = session->trace[0] != '\0',
            .extra = session->extra};
        member->name = fuzz_engine_member_name(&member->launch);
        char *there = text_format("%s/afl/%s/queue", session->directory, member->name);
        member->launch.resumed = session->resumed && access(there, F_OK) == 0;
        free(there);
        state->count++;
        status = session_start_member(state, state->count - 1, error);
    }
    return status;
}

/* Reads a member's figures, and adds those of its predecessors. */
static void session_read_member(const struct session_state *state, size_t index,
                                struct fuzz_progress *progress)
{
    const struct session_member *member = &state->members[index];
    fuzz_engine_read(&member->launch, progress);
    progress->executions += member->before.executions;
    progress->operations += member->before.operations;
}

static double session_member_cpu_s(const struct session_state *state, size_t index)
{
    return (double)(state->crew[index].result.cpu_ns + state->members[index].cpu_before_ns) / 1e9;
}

static enum status session_sample(struct session_state *state, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < state->count && status == STATUS_OK; i++) {
        struct fuzz_progress progress;
        session_read_member(state, i, &progress);
        json_t *line = json_pack(
            "{s:s, s:s, s:s, s:f, s:I, s:I, s:I, s:I}", "event", "sample", "member",
            state->members[i].name, "engine", fuzz_engine_name(state->members[i].launch.engine),
            "cpu_s", session_member_cpu_s(state, i), "executions", (json_int_t)progress.executions,
            "operations", (json_int_t)progress.operations, "coverage",
            (json_int_t)progress.coverage, "corpus", (json_int_t)progress.corpus);
        if (progress.stability > 0) {
            (void)json_object_set_new(line, "stability", json_real(progress.stability));
        }
        status = session_log(state, line, error);
    }
    return status;
}

/* Logs new findings; AFL++'s are copied to findings/. */
static enum status session_collect(struct session_state *state, struct error *error)
{
    struct text_list fresh = {0};
    enum status status =
        fuzz_exchange_collect(state->session->directory, &state->findings, &fresh, error);
    for (size_t i = 0; i < fresh.count && status == STATUS_OK; i++) {
        state->findings_new++;
        status = session_log(
            state, json_pack("{s:s, s:s}", "event", "finding", "file", fresh.items[i]), error);
        fuzz_status_line_clear(&state->line);
        (void)fprintf(stderr, "heapmill fuzz run: a finding: %s/%s\n", state->session->directory,
                      fresh.items[i]);
    }
    text_list_free(&fresh);
    return status;
}

/* Makes an error with the end of a member's log, if the engine does not work. */
static enum status session_explain_end(const struct session_state *state, size_t index,
                                       struct error *error)
{
    char *path =
        text_format("%s/logs/%s.log", state->session->directory, state->members[index].name);
    char *text;
    size_t size;
    (void)file_read(path, &text, &size, NULL);
    const char *tail = size > 600 ? text + size - 600 : text;
    enum status status = error_set(
        error, STATUS_UNSUPPORTED,
        "%s ends as soon as it is started (exit status %d, signal %d); the end of %s:\n%s",
        state->members[index].name, state->crew[index].result.exit_code,
        state->crew[index].result.signal, path, tail);
    free(text);
    free(path);
    return status;
}

/* Ends a member that has done nothing for too long. It hangs where its engine's own timeout does
 * not help: in a handler that waits for an allocator's lock. It is reported as a finding; its log
 * has its last words. */
static enum status session_end_stalled(struct session_state *state, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < state->count && status == STATUS_OK; i++) {
        struct session_member *member = &state->members[i];
        struct fuzz_progress progress;
        session_read_member(state, i, &progress);
        uint64_t seen = progress.executions + progress.operations;
        if (seen != member->seen || !state->crew[i].running) {
            member->seen = seen;
            member->seen_s = session_seconds(state);
        } else if (session_seconds(state) - member->seen_s > SESSION_STALL_S) {
            char *log = text_format("logs/%s.log", member->name);
            crew_stop(&state->crew[i], 1, 0);
            state->findings_new++;
            text_list_add(&state->findings, text_format("%s", log));
            status = session_log(
                state, json_pack("{s:s, s:s, s:b}", "event", "finding", "file", log, "stalled", 1),
                error);
            fuzz_status_line_clear(&state->line);
            (void)fprintf(stderr,
                          "heapmill fuzz run: a finding: %s did nothing for %.0f s; see %s/%s\n",
                          member->name, SESSION_STALL_S, state->session->directory, log);
            free(log);
        }
    }
    return status;
}

static void session_retire(struct session_state *state, size_t index)
{
    state->members[index].retired = true;
    fuzz_status_line_clear(&state->line);
    (void)fprintf(stderr,
                  "heapmill fuzz run: %s is not started again: it fails at once on what is known; "
                  "fix that, and --resume\n",
                  state->members[index].name);
}

/* Restarts members that have ended, except those that never get anywhere. */
static enum status session_restart(struct session_state *state, size_t findings_before,
                                   struct error *error)
{
    for (size_t i = 0; i < state->count; i++) {
        struct session_member *member = &state->members[i];
        const struct process *crew = &state->crew[i];
        if (crew->running || member->retired) {
            continue;
        }
        bool recorded = crew->result.exit_code == FUZZ_DEVIATION_EXIT && crew->result.signal == 0;
        bool fast = (double)crew->result.wall_ns / 1e9 < SESSION_FAST_END_S && !recorded;
        bool found = state->findings_new > findings_before;
        member->fast_ends = fast && !found ? member->fast_ends + 1 : 0;
        if (member->fast_ends >= 3 && state->findings.count == 0) {
            return session_explain_end(state, i, error);
        }
        if (member->fast_ends >= 3) {
            session_retire(state, i);
            continue;
        }
        struct fuzz_progress progress;
        session_read_member(state, i, &progress);
        member->before.executions = progress.executions;
        member->before.operations = progress.operations;
        member->cpu_before_ns += crew->result.cpu_ns;
        enum status status = session_start_member(state, i, error);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

static void session_show(struct session_state *state)
{
    struct fuzz_status_figures figures = {.elapsed_s = session_seconds(state),
                                          .time_s = state->session->time_s,
                                          .findings = state->findings.count};
    for (size_t i = 0; i < state->count; i++) {
        struct fuzz_progress progress;
        session_read_member(state, i, &progress);
        figures.executions += progress.executions;
        figures.operations += progress.operations;
        figures.cpu_s += session_member_cpu_s(state, i);
        bool afl = fuzz_engine_is_afl(state->members[i].launch.engine);
        uint64_t *coverage = afl ? &figures.coverage_afl : &figures.coverage_libfuzzer;
        *coverage = progress.coverage > *coverage ? progress.coverage : *coverage;
        figures.corpus += progress.corpus;
    }
    fuzz_status_line_show(&state->line, &figures);
}

/* Must the session end, and why? */
static bool session_is_over(const struct session_state *state, enum fuzz_session_end *end)
{
    const struct fuzz_session *session = state->session;
    size_t retired = 0;
    for (size_t i = 0; i < state->count; i++) {
        retired += state->members[i].retired;
    }
    bool full = session->disk_bytes_max > 0 && state->exchange.disk_bytes > session->disk_bytes_max;
    *end = process_interrupted()                            ? FUZZ_END_INTERRUPTED
           : full                                           ? FUZZ_END_DISK
           : state->findings.count >= session->findings_max ? FUZZ_END_FINDINGS
           : retired == state->count                        ? FUZZ_END_ENGINES
                                                            : FUZZ_END_TIME;
    return *end != FUZZ_END_TIME || session_seconds(state) >= session->time_s;
}

/* Follows the members until the session is over. Each look does what is due. */
static enum status session_follow(struct session_state *state, enum fuzz_session_end *end,
                                  struct error *error)
{
    double sample_due = SESSION_SAMPLE_S;
    double exchange_due = SESSION_EXCHANGE_S;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && !session_is_over(state, end)) {
        double left = state->session->time_s - session_seconds(state);
        size_t findings_before = state->findings_new;
        (void)crew_wait(state->crew, state->count, left < SESSION_LOOK_S ? left : SESSION_LOOK_S);
        status = session_collect(state, error);
        status = status == STATUS_OK ? session_end_stalled(state, error) : status;
        bool over = session_is_over(state, end);
        if (status == STATUS_OK && !over) {
            status = session_restart(state, findings_before, error);
        }
        double now = session_seconds(state);
        if (status == STATUS_OK && now >= sample_due) {
            status = session_sample(state, error);
            sample_due = now + SESSION_SAMPLE_S;
        }
        if (status == STATUS_OK && now >= exchange_due) {
            status = fuzz_exchange_inputs(&state->exchange, state->session->directory, error);
            exchange_due = now + SESSION_EXCHANGE_S;
        }
        session_show(state);
    }
    return status;
}

static void session_sum(const struct session_state *state, struct fuzz_session_result *result)
{
    result->wall_s = session_seconds(state);
    result->findings = state->findings.count;
    result->findings_new = state->findings_new;
    for (size_t i = 0; i < state->findings.count; i++) {
        const char *name = strrchr(state->findings.items[i], '/');
        char *key = fuzz_deviation_key(name != NULL ? name + 1 : state->findings.items[i]);
        result->findings_plain += key[0] == '\0';
        free(key);
    }
    for (size_t i = 0; i < state->count; i++) {
        struct fuzz_progress progress;
        session_read_member(state, i, &progress);
        result->executions += progress.executions;
        result->operations += progress.operations;
        result->cpu_s += session_member_cpu_s(state, i);
    }
    struct text_list names = {0};
    char *corpus = text_format("%s/corpus", state->session->directory);
    file_list_names(corpus, &names);
    result->corpus = names.count;
    text_list_free(&names);
    free(corpus);
}

enum status fuzz_session_run(const struct fuzz_session *session, struct fuzz_session_result *result,
                             struct error *error)
{
    struct session_state *state = text_grow(NULL, 1, sizeof(*state));
    *state = (struct session_state){.session = session, .begin_ns = clock_wall_ns()};
    *result = (struct fuzz_session_result){.end = FUZZ_END_ENGINES};
    session_recall(state);
    fuzz_status_line_begin(&state->line);
    enum status status = session_log(state, json_pack("{s:s}", "event", "begin"), error);
    if (status == STATUS_OK) {
        status = session_start(state, error);
    }
    if (status == STATUS_OK) {
        status = session_follow(state, &result->end, error);
    }
    crew_stop(state->crew, state->count, SESSION_GRACE_S);
    fuzz_status_line_clear(&state->line);
    struct error last; /* the first error is reported */
    enum status ending = session_collect(state, &last);
    ending = ending == STATUS_OK ? session_sample(state, &last) : ending;
    state->exchange.active = true; /* any engine's next session then begins with all inputs */
    ending = ending == STATUS_OK ? fuzz_exchange_inputs(&state->exchange, session->directory, &last)
                                 : ending;
    session_sum(state, result);
    const char *reason = status == STATUS_OK ? fuzz_session_end_name(result->end) : "failed";
    if (ending == STATUS_OK) {
        ending =
            session_log(state, json_pack("{s:s, s:s}", "event", "end", "reason", reason), &last);
    }
    if (status == STATUS_OK && ending != STATUS_OK) {
        status = error_set(error, ending, "%s", last.message);
    }
    for (size_t i = 0; i < state->count; i++) {
        free(state->members[i].name);
        process_free(&state->crew[i]);
    }
    fuzz_exchange_release(&state->exchange);
    text_list_free(&state->findings);
    free(state);
    return status;
}

/* Says if the target has no mutator. Targets of bytes need none; for others the build may lack
 * it. */
static void session_note_mutator(const struct fuzz_session *session)
{
    bool afl = false;
    for (size_t i = 0; i < session->member_count; i++) {
        afl = afl || session->engines[i] == FUZZ_ENGINE_AFL;
    }
    char *mutator = afl ? fuzz_catalog_mutator(session->catalog, session->program->target) : NULL;
    if (afl && mutator == NULL) {
        (void)fprintf(stderr,
                      "heapmill fuzz run: note: AFL++ mutates bytes: the build has no mutator of "
                      "operations for %s (`heapmill fuzz build afl` makes all that there are)\n",
                      session->program->target);
    }
    free(mutator);
}

enum status fuzz_session_take_plan(struct fuzz_session *session, const json_t *plan,
                                   struct error *error)
{
    size_t index;
    json_t *name;
    session->subject = (struct fuzz_subject){.library = json_text_at(plan, "library", ""),
                                             .profile = json_text_at(plan, "profile", ""),
                                             .skip = json_text_at(plan, "skip", ""),
                                             .only = json_text_at(plan, "only", "")};
    session->trace = json_text_at(plan, "trace", "");
    session->fast = json_is_true(json_object_get(plan, "fast"));
    session->seed = (uint64_t)json_integer_value(json_object_get(plan, "seed"));
    session->operations = (uint64_t)json_integer_value(json_object_get(plan, "operations"));
    session->member_count = 0;
    json_array_foreach(json_object_get(plan, "engines"), index, name)
    {
        enum fuzz_engine engine =
            json_is_string(name) ? fuzz_engine_named(json_string_value(name)) : FUZZ_ENGINES;
        if (engine == FUZZ_ENGINE_RANDOM && session->trace[0] != '\0') {
            return error_set(error, STATUS_INVALID,
                             "--from: blind random draws its programs itself: --engine libfuzzer "
                             "or afl");
        }
        if (engine == FUZZ_ENGINES || session->member_count == FUZZ_MEMBERS_MAX) {
            return error_set(error, STATUS_CORRUPT, "%s/campaign.json: an engine is not known",
                             session->directory);
        }
        session->engines[session->member_count++] = engine;
    }
    enum status status = fuzz_catalog_find(session->catalog, json_text_at(plan, "target", ""),
                                           json_text_at(plan, "backend", ""),
                                           json_text_at(plan, "bug", ""), &session->program, error);
    for (size_t i = 0; i < session->member_count && status == STATUS_OK; i++) {
        const struct fuzz_launch launch = {.program = session->program,
                                           .engine = session->engines[i],
                                           .fast = session->fast,
                                           .subject = session->subject};
        status = fuzz_engine_check(&launch, error);
    }
    if (status == STATUS_OK && session->trace[0] != '\0' && !session->resumed) {
        status = fuzz_trace_check(session->trace, session->program->target, error);
    }
    if (status == STATUS_OK) {
        session_note_mutator(session);
    }
    return status;
}
