/* str_concat: strings that grow by concatenation, side by side.
 *
 * Imitates `text = text + piece` in a loop: the piece is a new string (a slice), the sum a new
 * string of both lengths, and the old one dies. Several texts grow in turn, most to a short and
 * some to a long final length, and each is dropped when it is complete.
 *
 * Leaves out CPython's trick of resizing a string in place when nobody else has it: each sum is
 * copied. So the time of long texts is mostly that of memcpy.
 *
 * Stresses blocks that move up through all size classes, few of each alive at a time. */
#include <string.h>

#include "workloads/objects/model.h"

enum { STR_CONCAT_LIVE, STR_CONCAT_LENGTH, STR_CONCAT_PIECE };
enum { STR_CONCAT_LETTERS = 26, STR_CONCAT_LENGTH_MIN = 8 };

struct str_concat_state {
    char *letters;         /* pieces are cut from it; twice the mean piece and the alphabet */
    struct object **texts; /* [live]; NULL: complete and dropped */
    uint32_t *lengths;     /* [live]: the least final length of each text, in the pass's order */
    uint32_t *growing;     /* indices of the texts that are not complete */
};

/* The length of the piece that all growing texts get in a round: from 1 to twice the mean minus
 * one, spread evenly as multiples of the golden ratio are in an interval (Knuth, volume 3, 6.4). */
static uint64_t str_concat_piece(const struct run *run, uint64_t round)
{
    uint64_t span = 2 * run_count(run, STR_CONCAT_PIECE) - 1;
    uint64_t fraction = (round + 1) * 0x9e3779b9u & 0xffffffffu;
    return 1 + (fraction * span >> 32);
}

static uint64_t str_concat_target(const struct run *run, uint64_t index)
{
    return model_spread_size(index, run_count(run, STR_CONCAT_LIVE), STR_CONCAT_LENGTH_MIN,
                             run->values[STR_CONCAT_LENGTH]);
}

/* The number of pieces of a text of this length. */
static uint64_t str_concat_pieces(const struct run *run, uint64_t length)
{
    uint64_t pieces = 0;
    for (uint64_t reached = 0; reached < length; pieces++) {
        reached += str_concat_piece(run, pieces);
    }
    return pieces;
}

static void str_concat_teardown(struct run *run)
{
    struct str_concat_state *state = run->state;
    for (uint64_t i = 0; i < run_count(run, STR_CONCAT_LIVE); i++) {
        object_xdecref(run->runtime, state->texts[i]);
        state->texts[i] = NULL;
    }
}

static enum status str_concat_setup(struct run *run, struct error *error)
{
    (void)error;
    const uint64_t live = run_count(run, STR_CONCAT_LIVE);
    const uint64_t letters = 2 * run_count(run, STR_CONCAT_PIECE) + STR_CONCAT_LETTERS;
    struct str_concat_state *state = run_scratch(run, sizeof *state);
    run->state = state;
    state->letters = run_scratch(run, letters);
    state->texts = run_scratch(run, live * sizeof *state->texts);
    state->lengths = run_scratch(run, live * sizeof *state->lengths);
    state->growing = run_scratch(run, live * sizeof *state->growing);
    for (uint64_t i = 0; i < letters; i++) {
        state->letters[i] = (char)('a' + (int)(i % STR_CONCAT_LETTERS));
    }
    for (uint64_t i = 0; i < live; i++) {
        state->lengths[i] = (uint32_t)str_concat_target(run, i);
    }
    return STATUS_OK;
}

/* Makes left + right; returns a new reference, or NULL. */
static struct object *str_concat_add(struct runtime *runtime, struct object *left,
                                     struct object *right)
{
    size_t left_length = str_length(left);
    size_t right_length = str_length(right);
    struct object *sum = str_new(runtime, NULL, left_length + right_length);
    if (sum != NULL) {
        memcpy(str_bytes(sum), str_bytes(left), left_length);
        memcpy(str_bytes(sum) + left_length, str_bytes(right), right_length);
    }
    return sum;
}

/* Appends a piece to the text. false: the heap is exhausted. */
static bool str_concat_grow(struct run *run, uint32_t index, uint64_t piece_length)
{
    struct str_concat_state *state = run->state;
    const char *letters = state->letters + index % STR_CONCAT_LETTERS;
    struct object *piece = str_new(run->runtime, letters, piece_length);
    if (piece == NULL) {
        return false;
    }
    struct object *sum = str_concat_add(run->runtime, state->texts[index], piece);
    object_decref(run->runtime, piece);
    if (sum == NULL) {
        return false;
    }
    object_decref(run->runtime, state->texts[index]);
    state->texts[index] = sum;
    return true;
}

static bool str_concat_begin(struct run *run)
{
    struct str_concat_state *state = run->state;
    const uint64_t live = run_count(run, STR_CONCAT_LIVE);
    rng_shuffle_u32(&run->rng, state->lengths, live);
    for (uint64_t i = 0; i < live; i++) {
        state->growing[i] = (uint32_t)i;
        state->texts[i] = str_new(run->runtime, "", 0);
        if (state->texts[i] == NULL) {
            return false;
        }
    }
    return true;
}

/* Drops the text after a look at it. A hash of all its bytes would take longer than making it. */
static void str_concat_complete(struct run *run, uint32_t index)
{
    struct str_concat_state *state = run->state;
    struct object *text = state->texts[index];
    const char *bytes = str_bytes(text);
    size_t length = str_length(text);
    model_check(run, length);
    model_check(run, (uint64_t)(bytes[length / 2] + bytes[length - 1]));
    object_decref(run->runtime, text);
    state->texts[index] = NULL;
}

/* Appends one piece to each growing text. Returns how many still grow; 0 if run->failed is set. */
static uint64_t str_concat_round(struct run *run, uint64_t growing, uint64_t round)
{
    struct str_concat_state *state = run->state;
    const uint64_t piece_length = str_concat_piece(run, round);
    uint64_t kept = 0;
    for (uint64_t i = 0; i < growing; i++) {
        uint32_t index = state->growing[i];
        if (!str_concat_grow(run, index, piece_length)) {
            run_fail(run, MODEL_HEAP_EXHAUSTED);
            return 0;
        }
        if (str_length(state->texts[index]) >= state->lengths[index]) {
            str_concat_complete(run, index);
        } else {
            state->growing[kept++] = index;
        }
    }
    return kept;
}

static void str_concat_run(struct run *run, uint64_t iterations)
{
    for (uint64_t iteration = 0; iteration < iterations && run->failed == NULL; iteration++) {
        if (!str_concat_begin(run)) {
            run_fail(run, MODEL_HEAP_EXHAUSTED);
            return;
        }
        uint64_t growing = run_count(run, STR_CONCAT_LIVE);
        for (uint64_t round = 0; growing > 0; round++) {
            run_mark(run, NULL);
            growing = str_concat_round(run, growing, round);
        }
    }
}

/* An operation is a concatenation. */
static uint64_t str_concat_operations(const struct run *run)
{
    uint64_t pieces = 0;
    for (uint64_t i = 0; i < run_count(run, STR_CONCAT_LIVE); i++) {
        pieces += str_concat_pieces(run, str_concat_target(run, i));
    }
    return pieces;
}

/* The empty text, and for each concatenation its piece and its sum. */
static uint64_t str_concat_expected_allocations(const struct run *run, uint64_t iterations)
{
    return iterations * (2 * str_concat_operations(run) + run_count(run, STR_CONCAT_LIVE));
}

/* A text that is not complete waits for one round, in which the others get one block each, at most
 * as long as the longest text and a piece. */
static size_t str_concat_window_bytes(const struct run *run)
{
    uint64_t text_bytes = MODEL_STR_BYTES + run_count(run, STR_CONCAT_LENGTH) +
                          4 * run_count(run, STR_CONCAT_PIECE) + MODEL_STR_BYTES;
    return (size_t)(3 * (run_count(run, STR_CONCAT_LIVE) + 16) * text_bytes);
}

const struct workload workload_str_concat = {
    .name = "str_concat",
    .kind = "objects",
    .family = "growth",
    .summary = "strings that grow by concatenation",
    .parameters =
        {
            {"live", "objects", "texts that grow side by side", NULL, 1e3, 1, 1e6},
            {"length", "bytes", "of the longest text; logarithms evenly spread", NULL, 2e3, 8, 1e7},
            {"piece", "bytes", "mean length of a piece", NULL, 16, 1, 1e5},
        },
    .operations = str_concat_operations,
    .expected_allocations = str_concat_expected_allocations,
    .window_bytes = str_concat_window_bytes,
    .setup = str_concat_setup,
    .run = str_concat_run,
    .teardown = str_concat_teardown,
};
