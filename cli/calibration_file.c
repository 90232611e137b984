#include "cli/calibration_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/text.h"
#include "run/machine.h"

static const char calibration_format[] = "heapmill-calibration-1";

enum status calibration_write(const char *directory, const json_t *calibration, struct error *error)
{
    char *path = text_format("%s/calibration.json", directory);
    char *temporary = text_format("%s.tmp", path);
    json_t *copy = json_object();
    (void)json_object_set_new(copy, "format", json_string(calibration_format));
    (void)json_object_update(copy, (json_t *)calibration);
    enum status status = STATUS_OK;
    if (json_dump_file(copy, temporary, JSON_INDENT(1)) != 0 || rename(temporary, path) != 0) {
        status = error_set(error, STATUS_IO, "cannot write %s: %s", path, strerror(errno));
        (void)unlink(temporary);
    }
    json_decref(copy);
    free(path);
    free(temporary);
    return status;
}

enum status calibration_read(const char *directory, json_t **calibration, struct error *error)
{
    char *path = text_format("%s/calibration.json", directory);
    json_error_t where;
    enum status status = STATUS_OK;
    *calibration = NULL;
    if (access(path, F_OK) != 0) {
        status = error_set(error, STATUS_NOT_FOUND, "there is no %s", path);
    } else {
        json_t *read = json_load_file(path, 0, &where);
        const char *format = json_string_value(json_object_get(read, "format"));
        if (format == NULL || strcmp(format, calibration_format) != 0) {
            status =
                error_set(error, STATUS_CORRUPT, "%s is no calibration of this heapmill", path);
            json_decref(read);
        } else {
            *calibration = read;
        }
    }
    free(path);
    return status;
}

bool calibration_is_of_host(const json_t *calibration)
{
    static const char *const members[] = {"hostname", "cpu", "cores", "kernel", "heapmill"};
    const json_t *there = json_object_get(calibration, "host");
    json_t *here = machine_describe_host();
    bool same = true;
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        same = same && json_equal(json_object_get(there, members[i]),
                                  json_object_get(here, members[i])) != 0;
    }
    json_decref(here);
    return same;
}
