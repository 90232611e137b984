/* The interpreter's programs. Each gets the store (a list of records, which lives as long as the
 * process) and returns an int that depends on all of its work. */
#include "workloads/interpreter.h"
#include "workloads/objects/model.h"

const char *const interpreter_program_names[INTERPRETER_PROGRAMS + 1] = {
    [INTERPRETER_ALL] = "all",     [INTERPRETER_FIB] = "fib",
    [INTERPRETER_NBODY] = "nbody", [INTERPRETER_FANNKUCH] = "fannkuch",
    [INTERPRETER_WORDS] = "words", [INTERPRETER_QUEENS] = "queens",
    [INTERPRETER_TASKS] = "tasks", [INTERPRETER_RECORDS] = "records",
    [INTERPRETER_PROGRAMS] = NULL,
};

/* The bodies of `nbody` are those of the Computer Language Benchmarks Game; its other programs are
 * textbook algorithms written for this file. `tasks` is a scheduler in the manner of Richards's
 * benchmark: producers, workers and consumers that pass packets. Each packet and its reply refer to
 * each other and are left so, which is what the cycle collector is for. */
const char interpreter_source[] =
    "fn fibonacci(n) { if n < 2 { return n; } return fibonacci(n - 1) + fibonacci(n - 2); }\n"
    "fn fib(store) { return fibonacci(17); }\n"
    "\n"
    "fn Body.init(self, x, y, z, vx, vy, vz, mass) {\n"
    "    self.x = x; self.y = y; self.z = z;\n"
    "    self.vx = vx * 365.24; self.vy = vy * 365.24; self.vz = vz * 365.24;\n"
    "    self.mass = mass * 39.478417604357434;\n"
    "    return self;\n"
    "}\n"
    "fn Body.move(self, dt) {\n"
    "    self.x = self.x + dt * self.vx;\n"
    "    self.y = self.y + dt * self.vy;\n"
    "    self.z = self.z + dt * self.vz;\n"
    "}\n"
    "fn Body.push(self, dx, dy, dz, force) {\n"
    "    self.vx = self.vx + dx * force;\n"
    "    self.vy = self.vy + dy * force;\n"
    "    self.vz = self.vz + dz * force;\n"
    "}\n"
    "fn attract(a, b, dt) {\n"
    "    dx = a.x - b.x; dy = a.y - b.y; dz = a.z - b.z;\n"
    "    square = dx * dx + dy * dy + dz * dz;\n"
    "    magnitude = dt / (square * sqrt(square));\n"
    "    a.push(dx, dy, dz, 0.0 - b.mass * magnitude);\n"
    "    b.push(dx, dy, dz, a.mass * magnitude);\n"
    "}\n"
    "fn nbody(store) {\n"
    "    bodies = [\n"
    "        new Body.init(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),\n"
    "        new Body.init(4.841431442464721, 0.0 - 1.1603200440274284, 0.0 - "
    "0.10362204447112311,\n"
    "            0.001660076642744037, 0.007699011184197404, 0.0 - 0.0000690460016972063,\n"
    "            0.0009547919384243266),\n"
    "        new Body.init(8.34336671824458, 4.124798564124305, 0.0 - 0.4035234171143214,\n"
    "            0.0 - 0.002767425107268624, 0.004998528012349172, 0.00002304172975737639,\n"
    "            0.0002858859806661308),\n"
    "        new Body.init(12.894369562139131, 0.0 - 15.111151401698631, 0.0 - "
    "0.22330757889265573,\n"
    "            0.002964601375647616, 0.0023784717395948095, 0.0 - 0.000029658956854023756,\n"
    "            0.00004366244043351563),\n"
    "        new Body.init(15.379697114850917, 0.0 - 25.919314609987964, 0.17925877295037118,\n"
    "            0.0026806777249038932, 0.001628241700382423, 0.0 - 0.00009515922545197159,\n"
    "            0.00005151389020466115)];\n"
    "    for step in 0..40 {\n"
    "        for i in 0..len(bodies) {\n"
    "            for j in i + 1..len(bodies) { attract(bodies[i], bodies[j], 0.01); }\n"
    "        }\n"
    "        for i in 0..len(bodies) { bodies[i].move(0.01); }\n"
    "    }\n"
    "    return int(bodies[0].x * 1000000000.0) + int(bodies[4].vz * 1000000000.0);\n"
    "}\n"
    "\n"
    "fn flips_of(permutation) {\n"
    "    p = slice(permutation, 0, len(permutation));\n"
    "    flips = 0; first = p[0];\n"
    "    while first != 0 {\n"
    "        low = 0; high = first;\n"
    "        while low < high {\n"
    "            item = p[low]; p[low] = p[high]; p[high] = item;\n"
    "            low = low + 1; high = high - 1;\n"
    "        }\n"
    "        first = p[0]; flips = flips + 1;\n"
    "    }\n"
    "    return flips;\n"
    "}\n"
    "fn permute(items, n, best) {\n"
    "    if n == 1 {\n"
    "        flips = flips_of(items);\n"
    "        if flips > best[0] { best[0] = flips; }\n"
    "        best[1] = best[1] + flips;\n"
    "        return none;\n"
    "    }\n"
    "    for i in 0..n {\n"
    "        permute(items, n - 1, best);\n"
    "        swapped = 0;\n"
    "        if n % 2 == 0 { swapped = i; }\n"
    "        item = items[swapped]; items[swapped] = items[n - 1]; items[n - 1] = item;\n"
    "    }\n"
    "}\n"
    "fn fannkuch(store) {\n"
    "    best = [0, 0];\n"
    "    permute([0, 1, 2, 3, 4], 5, best);\n"
    "    return best[0] * 10000 + best[1];\n"
    "}\n"
    "\n"
    "fn words(store) {\n"
    "    counts = {}; source = text(); first = 0; total = 0;\n"
    "    for i in 0..len(source) {\n"
    "        if byte(source, i) == 32 {\n"
    "            word = slice(source, first, i);\n"
    "            counts[word] = get(counts, word, 0) + 1;\n"
    "            first = i + 1; total = total + 1;\n"
    "        }\n"
    "    }\n"
    "    found = keys(counts); best = 0;\n"
    "    index = {};\n"
    "    for i in 0..len(found) {\n"
    "        count = counts[found[i]];\n"
    "        if count > best { best = count; }\n"
    "        title = \"count \" + str(count);\n"
    "        index[title] = get(index, title, []) + [found[i]];\n"
    "    }\n"
    "    return total * 1000000 + len(found) * 1000 + best + len(index);\n"
    "}\n"
    "\n"
    "fn is_safe(columns, column) {\n"
    "    row = len(columns);\n"
    "    for i in 0..row {\n"
    "        other = columns[i];\n"
    "        if other == column or other - column == row - i or column - other == row - i {\n"
    "            return 0;\n"
    "        }\n"
    "    }\n"
    "    return 1;\n"
    "}\n"
    "fn place(columns, size) {\n"
    "    if len(columns) == size { return 1; }\n"
    "    solutions = 0;\n"
    "    for column in 0..size {\n"
    "        if is_safe(columns, column) {\n"
    "            solutions = solutions + place(columns + [column], size);\n"
    "        }\n"
    "    }\n"
    "    return solutions;\n"
    "}\n"
    "fn queens(store) { return place([], 6); }\n"
    "\n"
    "fn Packet.init(self, origin, number) {\n"
    "    self.origin = origin; self.number = number; self.reply = none;\n"
    "    return self;\n"
    "}\n"
    "fn Producer.run(self, scheduler) {\n"
    "    scheduler.send(1 + self.made % 3, new Packet.init(self, self.made));\n"
    "    self.made = self.made + 1;\n"
    "}\n"
    "fn Worker.run(self, scheduler) {\n"
    "    if len(self.inbox) > 0 {\n"
    "        packet = take(self.inbox);\n"
    "        reply = new Packet.init(self, packet.number * 3 + self.weight);\n"
    "        packet.reply = reply; reply.reply = packet;\n"
    "        scheduler.send(4, reply);\n"
    "    }\n"
    "}\n"
    "fn Consumer.run(self, scheduler) {\n"
    "    while len(self.inbox) > 0 {\n"
    "        packet = take(self.inbox);\n"
    "        self.sum = self.sum + packet.number + packet.reply.number;\n"
    "    }\n"
    "}\n"
    "fn Scheduler.send(self, task, packet) { append(self.tasks[task].inbox, packet); }\n"
    "fn tasks(store) {\n"
    "    scheduler = new Scheduler; scheduler.tasks = [];\n"
    "    producer = new Producer; producer.made = 0; append(scheduler.tasks, producer);\n"
    "    for i in 0..3 {\n"
    "        worker = new Worker; worker.inbox = []; worker.weight = i * 500;\n"
    "        worker.scheduler = scheduler; append(scheduler.tasks, worker);\n"
    "    }\n"
    "    consumer = new Consumer; consumer.inbox = []; consumer.sum = 0;\n"
    "    append(scheduler.tasks, consumer);\n"
    "    for turn in 0..600 {\n"
    "        for i in 0..len(scheduler.tasks) { scheduler.tasks[i].run(scheduler); }\n"
    "    }\n"
    "    return consumer.sum;\n"
    "}\n"
    "\n"
    "fn load(count) {\n"
    "    store = [];\n"
    "    for i in 0..count {\n"
    "        record = new Record;\n"
    "        record.number = 1000 + i; record.name = \"record \" + str(i * 7 % 1000);\n"
    "        record.weight = (i + 0.5) / 3.0; record.visits = 0;\n"
    "        append(store, record);\n"
    "    }\n"
    "    return store;\n"
    "}\n"
    "fn records(store) {\n"
    "    groups = {};\n"
    "    for i in 0..len(store) {\n"
    "        record = store[i];\n"
    "        record.weight = record.weight * 0.75 + 1.0;\n"
    "        group = slice(record.name, 0, 8);\n"
    "        groups[group] = get(groups, group, 0) + record.number;\n"
    "    }\n"
    "    found = keys(groups); sum = 0;\n"
    "    for i in 0..len(found) { sum = sum * 3 + groups[found[i]] % 1000; }\n"
    "    return sum;\n"
    "}\n";

/* A vocabulary of 400 words. The square of a uniform number picks one, so that the first tenth of
 * the words is about a third of the text. */
void interpreter_write_text(char *text)
{
    struct rng rng;
    rng_seed(&rng, 400);
    size_t length = 0;
    while (length < INTERPRETER_TEXT_BYTES) {
        double uniform = rng_uniform(&rng);
        uint64_t word = (uint64_t)(400 * uniform * uniform);
        struct rng letters;
        rng_seed(&letters, word);
        for (uint64_t left = 2 + rng_below(&letters, 9); left > 0; left--) {
            if (length < INTERPRETER_TEXT_BYTES - 1) {
                text[length++] = (char)('a' + (int)rng_below(&letters, 26));
            }
        }
        text[length++] = ' ';
    }
}

/* Measured by interpreter_test; bytes are rounded up. */
static const struct interpreter_counts interpreter_fixed_counts[INTERPRETER_RECORDS] = {
    [INTERPRETER_FIB] = {51669, 5175, 662000, 1597},
    [INTERPRETER_NBODY] = {66526, 13063, 727000, -34722919},
    [INTERPRETER_FANNKUCH] = {31184, 577, 131000, 70265},
    [INTERPRETER_WORDS] = {119811, 10218, 1534000, 855304059},
    [INTERPRETER_QUEENS] = {80209, 1657, 279000, 4},
    [INTERPRETER_TASKS] = {145928, 12002, 1819000, 1018800},
};

/* The groups of `records`: the names "record 0" to "record 999" by their first digit, in the order
 * of their first names. */
struct interpreter_groups {
    uint64_t count;
    int64_t sums[10];
    unsigned char place[10]; /* by digit, from 1 */
};

static void interpreter_group(struct interpreter_groups *groups, uint64_t record)
{
    uint64_t digit = record * 7 % 1000;
    while (digit > 9) {
        digit /= 10;
    }
    if (groups->place[digit] == 0) {
        groups->place[digit] = (unsigned char)++groups->count;
    }
    groups->sums[groups->place[digit] - 1] += (int64_t)(1000 + record);
}

/* A record allocates two floats, the group's name, the group's new sum, and its index. The frame,
 * the dict of groups, the list of its keys and that list's vector are allocated once. */
static struct interpreter_counts interpreter_count_records(uint64_t records)
{
    struct interpreter_groups groups = {0};
    struct interpreter_counts counts = {.blocks = 4 + 2 * model_int_blocks((int64_t)records)};
    for (uint64_t i = 0; i < records; i++) {
        interpreter_group(&groups, i);
        counts.blocks += 4 + model_int_blocks((int64_t)i);
    }
    counts.blocks += model_dict_buffers(groups.count);
    for (uint64_t i = 0; i < groups.count; i++) {
        int64_t thrice = counts.result * 3;
        int64_t rest = groups.sums[i] % 1000;
        counts.result = thrice + rest;
        counts.blocks +=
            model_int_blocks(thrice) + model_int_blocks(rest) + model_int_blocks(counts.result);
    }
    counts.instructions = 27 + 37 * records + 21 * groups.count;
    counts.bytes = 8192 + 250 * records;
    return counts;
}

struct interpreter_counts interpreter_count(enum interpreter_program program, uint64_t records)
{
    if (program == INTERPRETER_RECORDS) {
        return interpreter_count_records(records);
    }
    if (program != INTERPRETER_ALL) {
        return interpreter_fixed_counts[program];
    }
    struct interpreter_counts all = interpreter_count_records(records);
    for (int i = 1; i < INTERPRETER_RECORDS; i++) {
        all.instructions += interpreter_fixed_counts[i].instructions;
        all.blocks += interpreter_fixed_counts[i].blocks;
        all.bytes += interpreter_fixed_counts[i].bytes;
    }
    all.result = 0;
    return all;
}
