/* What the bytecode's operators and built-in functions mean, once for both machines: the half of
 * the template interpreter_loop.h that knows values and no stack. Included by it alone. */

static LOOP_VALUE LOOP(fault)(LOOP_MACHINE *machine, const char *text)
{
    machine->fault = text;
    return LOOP(absent)();
}

/* ------------------------------------------------------------------ numbers and comparisons */
static inline bool LOOP(is_number)(LOOP_VALUE value)
{
    return LOOP(is_int)(value) || LOOP(is_float)(value);
}

static inline double LOOP(number)(LOOP_VALUE value)
{
    return LOOP(is_int)(value) ? (double)LOOP(int_of)(value) : LOOP(float_of)(value);
}

/* Rounds towards minus infinity, and the remainder has the divisor's sign, as Python's. */
static LOOP_VALUE LOOP(int_divide)(LOOP_MACHINE *machine, unsigned op, int64_t a, int64_t b)
{
    if (b == 0 || b == -1) {
        return LOOP(fault)(machine, "a program divides by 0 or -1");
    }
    if (op == INTERPRETER_DIVIDE) {
        return LOOP(make_float)(machine, (double)a / (double)b);
    }
    int64_t remainder = a % b;
    int64_t quotient = a / b;
    if (remainder != 0 && (remainder < 0) != (b < 0)) {
        remainder += b;
        quotient--;
    }
    return LOOP(make_int)(machine, op == INTERPRETER_MODULO ? remainder : quotient);
}

static inline LOOP_VALUE LOOP(int_arithmetic)(LOOP_MACHINE *machine, unsigned op, int64_t a,
                                              int64_t b)
{
    switch (op) {
    case INTERPRETER_ADD:
        return LOOP(make_int)(machine, (int64_t)((uint64_t)a + (uint64_t)b));
    case INTERPRETER_SUBTRACT:
        return LOOP(make_int)(machine, (int64_t)((uint64_t)a - (uint64_t)b));
    case INTERPRETER_MULTIPLY:
        return LOOP(make_int)(machine, (int64_t)((uint64_t)a * (uint64_t)b));
    default:
        return LOOP(int_divide)(machine, op, a, b);
    }
}

static LOOP_VALUE LOOP(float_arithmetic)(LOOP_MACHINE *machine, unsigned op, double a, double b)
{
    switch (op) {
    case INTERPRETER_ADD:
        return LOOP(make_float)(machine, a + b);
    case INTERPRETER_SUBTRACT:
        return LOOP(make_float)(machine, a - b);
    case INTERPRETER_MULTIPLY:
        return LOOP(make_float)(machine, a * b);
    case INTERPRETER_DIVIDE:
        return LOOP(make_float)(machine, a / b);
    default:
        return LOOP(fault)(machine, "a program takes // or % of floats");
    }
}

/* Appends items [from, to) of list to result; false: heap exhausted. */
static bool LOOP(extend)(LOOP_MACHINE *machine, LOOP_VALUE result, LOOP_VALUE list, size_t from,
                         size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (!LOOP(list_append)(machine, result, LOOP(list_item)(list, i))) {
            return false;
        }
    }
    return true;
}

static LOOP_VALUE LOOP(list_slice)(LOOP_MACHINE *machine, LOOP_VALUE list, size_t from, size_t to)
{
    LOOP_VALUE result = LOOP(make_list)(machine);
    if (LOOP(is_present)(result) && !LOOP(extend)(machine, result, list, from, to)) {
        LOOP(release)(machine, result);
        return LOOP(absent)();
    }
    return result;
}

static LOOP_VALUE LOOP(list_concat)(LOOP_MACHINE *machine, LOOP_VALUE a, LOOP_VALUE b)
{
    LOOP_VALUE result = LOOP(list_slice)(machine, a, 0, LOOP(list_length)(a));
    if (LOOP(is_present)(result) && !LOOP(extend)(machine, result, b, 0, LOOP(list_length)(b))) {
        LOOP(release)(machine, result);
        return LOOP(absent)();
    }
    return result;
}

static LOOP_VALUE LOOP(arithmetic)(LOOP_MACHINE *machine, unsigned op, LOOP_VALUE a, LOOP_VALUE b)
{
    if (LOOP(is_int)(a) && LOOP(is_int)(b)) {
        return LOOP(int_arithmetic)(machine, op, LOOP(int_of)(a), LOOP(int_of)(b));
    }
    if (LOOP(is_number)(a) && LOOP(is_number)(b)) {
        return LOOP(float_arithmetic)(machine, op, LOOP(number)(a), LOOP(number)(b));
    }
    if (op == INTERPRETER_ADD && LOOP(is_str)(a) && LOOP(is_str)(b)) {
        return LOOP(str_concat)(machine, a, b);
    }
    if (op == INTERPRETER_ADD && LOOP(is_list)(a) && LOOP(is_list)(b)) {
        return LOOP(list_concat)(machine, a, b);
    }
    return LOOP(fault)(machine, "a program's operands are of the wrong types");
}

/* order is that of a and b: negative, 0 or positive. */
static bool LOOP(holds)(unsigned op, int order)
{
    switch (op) {
    case INTERPRETER_EQUAL:
        return order == 0;
    case INTERPRETER_NOT_EQUAL:
        return order != 0;
    case INTERPRETER_LESS:
        return order < 0;
    case INTERPRETER_LESS_EQUAL:
        return order <= 0;
    case INTERPRETER_GREATER:
        return order > 0;
    default:
        return order >= 0;
    }
}

/* Numbers by value, strings by content, containers by identity. */
static LOOP_VALUE LOOP(compare)(LOOP_MACHINE *machine, unsigned op, LOOP_VALUE a, LOOP_VALUE b)
{
    int order;
    if (LOOP(is_int)(a) && LOOP(is_int)(b)) {
        order = (LOOP(int_of)(a) > LOOP(int_of)(b)) - (LOOP(int_of)(a) < LOOP(int_of)(b));
    } else if (LOOP(is_number)(a) && LOOP(is_number)(b)) {
        order = (LOOP(number)(a) > LOOP(number)(b)) - (LOOP(number)(a) < LOOP(number)(b));
    } else if (op == INTERPRETER_EQUAL || op == INTERPRETER_NOT_EQUAL) {
        order = !LOOP(is_equal)(a, b);
    } else {
        return LOOP(fault)(machine, "a program orders what has no order");
    }
    return LOOP(make_int)(machine, LOOP(holds)(op, order));
}

/* ------------------------------------------------------------------ built-in functions */
static LOOP_VALUE LOOP(length)(LOOP_MACHINE *machine, LOOP_VALUE value)
{
    size_t length = LOOP(is_str)(value)    ? LOOP(str_length)(value)
                    : LOOP(is_list)(value) ? LOOP(list_length)(value)
                                           : LOOP(dict_length)(value);
    return LOOP(make_int)(machine, (int64_t)length);
}

static LOOP_VALUE LOOP(slice)(LOOP_MACHINE *machine, LOOP_VALUE value, int64_t from, int64_t to)
{
    size_t length = LOOP(is_str)(value) ? LOOP(str_length)(value) : LOOP(list_length)(value);
    if (from < 0 || from > to || (uint64_t)to > length) {
        return LOOP(fault)(machine, "a program's slice goes beyond its end");
    }
    if (LOOP(is_list)(value)) {
        return LOOP(list_slice)(machine, value, (size_t)from, (size_t)to);
    }
    return LOOP(make_str)(machine, LOOP(str_bytes)(value) + from, (size_t)(to - from));
}

static LOOP_VALUE LOOP(keys)(LOOP_MACHINE *machine, LOOP_VALUE dict)
{
    LOOP_VALUE list = LOOP(make_list)(machine);
    size_t position = 0;
    LOOP_VALUE key;
    while (LOOP(is_present)(list) && LOOP(dict_next)(dict, &position, &key)) {
        if (!LOOP(list_append)(machine, list, key)) {
            LOOP(release)(machine, list);
            return LOOP(absent)();
        }
    }
    return list;
}

/* The digits of an int, without sprintf, which is no part of what is measured. */
static LOOP_VALUE LOOP(to_str)(LOOP_MACHINE *machine, int64_t value)
{
    char digits[24];
    char *first = digits + sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        *--first = (char)('0' + (int)(rest % 10));
        rest /= 10;
    } while (rest > 0);
    if (value < 0) {
        *--first = '-';
    }
    return LOOP(make_str)(machine, first, (size_t)(digits + sizeof digits - first));
}

static LOOP_VALUE LOOP(call_builtin)(LOOP_MACHINE *machine, unsigned builtin, LOOP_VALUE *arguments)
{
    switch (builtin) {
    case INTERPRETER_LEN:
        return LOOP(length)(machine, arguments[0]);
    case INTERPRETER_APPEND:
        return LOOP(list_append)(machine, arguments[0], arguments[1]) ? LOOP(own)(machine->none)
                                                                      : LOOP(absent)();
    case INTERPRETER_TAKE:
        return LOOP(list_pop)(machine, arguments[0]);
    case INTERPRETER_GET: {
        LOOP_VALUE value = LOOP(dict_get)(arguments[0], arguments[1]);
        return LOOP(own)(LOOP(is_present)(value) ? value : arguments[2]);
    }
    case INTERPRETER_KEYS:
        return LOOP(keys)(machine, arguments[0]);
    case INTERPRETER_SLICE:
        return LOOP(slice)(machine, arguments[0], LOOP(int_of)(arguments[1]),
                           LOOP(int_of)(arguments[2]));
    case INTERPRETER_BYTE:
        return LOOP(make_int)(machine, LOOP(str_bytes)(arguments[0])[LOOP(int_of)(arguments[1])]);
    case INTERPRETER_SQRT:
        return LOOP(make_float)(machine, sqrt(LOOP(number)(arguments[0])));
    case INTERPRETER_TO_INT:
        return LOOP(make_int)(machine, (int64_t)LOOP(number)(arguments[0]));
    case INTERPRETER_TO_STR:
        return LOOP(to_str)(machine, LOOP(int_of)(arguments[0]));
    default:
        return LOOP(own)(machine->text);
    }
}
