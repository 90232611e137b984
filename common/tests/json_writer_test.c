/* What the writer writes is read back by jansson; what does not fit is reported. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "common/json_writer.h"

static size_t write_sample(char *buffer, size_t capacity)
{
    struct json_writer writer;
    json_writer_begin(&writer, buffer, capacity);
    json_open_object(&writer, NULL);
    json_add_string(&writer, "text", "a \"quoted\" \\ tab\t and \xc3\xa9");
    json_add_u64(&writer, "big", UINT64_C(9007199254740993));
    json_add_i64(&writer, "negative", -5);
    json_add_double(&writer, "tenth", 0.1);
    json_add_tenths(&writer, "tenths", 421);
    json_add_tenths(&writer, "whole", 420);
    json_add_double(&writer, "nothing", 0.0 / 0.0);
    json_add_bool(&writer, "yes", true);
    json_open_array(&writer, "list");
    json_add_u64(&writer, NULL, 1);
    json_open_object(&writer, NULL);
    json_close_object(&writer);
    json_add_u64(&writer, NULL, 2);
    json_close_array(&writer);
    json_close_object(&writer);
    return json_writer_end(&writer);
}

static void jansson_reads_it_back(void **state)
{
    (void)state;
    char buffer[1024];
    size_t length = write_sample(buffer, sizeof(buffer));
    assert_true(length > 0 && length == strlen(buffer));
    json_error_t error;
    json_t *object = json_loads(buffer, 0, &error);
    assert_non_null(object);
    assert_true(json_integer_value(json_object_get(object, "big")) == 9007199254740993);
    assert_int_equal(json_integer_value(json_object_get(object, "negative")), -5);
    assert_true(json_real_value(json_object_get(object, "tenth")) == 0.1);
    assert_true(json_real_value(json_object_get(object, "tenths")) == 42.1);
    assert_int_equal(json_integer_value(json_object_get(object, "whole")), 42);
    assert_true(json_is_null(json_object_get(object, "nothing")));
    assert_true(json_is_true(json_object_get(object, "yes")));
    assert_int_equal(json_array_size(json_object_get(object, "list")), 3);
    assert_memory_equal(json_string_value(json_object_get(object, "text")), "a \"quoted\" \\ tab\t",
                        17);
    json_decref(object);
}

static void every_short_buffer_is_reported(void **state)
{
    (void)state;
    char buffer[1024];
    size_t needed = write_sample(buffer, sizeof(buffer));
    for (size_t capacity = 1; capacity <= needed; capacity++) {
        memset(buffer, 'x', sizeof(buffer));
        assert_int_equal(write_sample(buffer, capacity), 0);
        assert_int_equal(buffer[capacity], 'x');
    }
    assert_int_equal(write_sample(buffer, needed + 1), needed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jansson_reads_it_back),
        cmocka_unit_test(every_short_buffer_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
