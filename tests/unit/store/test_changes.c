/* `--change`: what Docker's importer makes of every instruction, and its messages (asked of Docker 26.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "store/changes.h"
#include "json/json_record.h"

/* The configuration's fields that are set, as JSON; or the message. */
static char *outcome(const char *change)
{
    _cleanup_error_ struct error err = ERROR_INIT;
    _cleanup_strlist_ struct strlist changes = {0};
    struct container_config config = {0};
    strlist_add(&changes, change);
    if (!changes_apply(&changes, &config, &err)) {
        record_release(&container_config_type, &config);
        return xstrdup(error_message(&err));
    }
    _cleanup_json_ json_t *json = record_to_json(&container_config_type, &config);
    record_release(&container_config_type, &config);
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(json, next, key, value)
    {
        if (json_is_null(value) || json_is_false(value) || (json_is_string(value) && !json_string_length(value)))
            json_object_del(json, key);
    }
    return json_format(json);
}

static void all_changes(void **state _unused_)
{
    static const struct {
        const char *change, *outcome;
    } rows[] = {
        {"RUN x", "RUN is not a valid change command"},
        {"SHELL [\"a\"]", "SHELL is not a valid change command"},
        {"", "file with no instructions"},
        {"# c", "file with no instructions"},
        {"CMD []", "{\"Cmd\":[]}"},
        {"CMD", "{\"Cmd\":[\"/bin/sh\",\"-c\"]}"},
        {"cmd echo $HOME  x ", "{\"Cmd\":[\"/bin/sh\",\"-c\",\"echo $HOME  x\"]}"},
        {"CMD [\"a\", \"b\"] x", "{\"Cmd\":[\"a\",\"b\"]}"},
        {"CMD [\"a\"", "{\"Cmd\":[\"/bin/sh\",\"-c\",\"[\\\"a\\\"\"]}"},
        {"CMD [\"a\",1]", "when using JSON array syntax, arrays must be comprised of strings only"},
        {"CMD --x=y a", "unknown flag: x"},
        {"CMD a\\\nb", "{\"Cmd\":[\"/bin/sh\",\"-c\",\"ab\"]}"},
        {"CMD a\nENV x=y", "{\"Env\":[\"x=y\"],\"Cmd\":[\"/bin/sh\",\"-c\",\"a\"]}"},
        {"ENTRYPOINT []", "{}"},
        {"ENTRYPOINT", "{}"},
        {"CMD x\nENTRYPOINT [\"y\"]", "{\"Cmd\":[\"/bin/sh\",\"-c\",\"x\"],\"Entrypoint\":[\"y\"]}"},
        {"ENV", "ENV requires at least one argument"},
        {"ENV a", "ENV must have two arguments"},
        {"ENV a  b   \"c\"", "{\"Env\":[\"a=b   c\"]}"},
        {"ENV a=b c", "Syntax error - can't find = in \"c\". Must be of the form: name=value"},
        {"ENV a=\"b c\" d=e\\ f", "{\"Env\":[\"a=b c\",\"d=e f\"]}"},
        {"ENV =x", "ENV names can not be blank"},
        {"ENV a=1\nENV b=$a c=${a:-z} d=${q:-w} e=${a:+f} f='$a' g=\"$a\" a=2 h=$a",
         "{\"Env\":[\"a=2\",\"b=1\",\"c=1\",\"d=w\",\"e=f\",\"f=$a\",\"g=1\",\"h=1\"]}"},
        {"ENV a=\"x",
         "failed to process \"\\\"x\": unexpected end of statement while looking for matching double-quote"},
        {"ENV a=${x:=y}", "failed to process \"${x:=y}\": unsupported modifier (:=) in substitution"},
        {"ENV a=${x?}", "failed to process \"${x?}\": x: is not allowed to be unset"},
        {"EXPOSE 80-82/tcp", "{\"ExposedPorts\":{\"80/tcp\":{},\"81/tcp\":{},\"82/tcp\":{}}}"},
        {"EXPOSE 8080:80/UDP 53", "{\"ExposedPorts\":{\"53/tcp\":{},\"80/udp\":{}}}"},
        {"EXPOSE 99999", "Invalid containerPort: 99999"},
        {"EXPOSE 90-80", "Invalid containerPort: 90-80"},
        {"EXPOSE 80/foo", "Invalid proto: foo"},
        {"EXPOSE 80:", "No port specified: 80:<empty>"},
        {"LABEL 'a b'=c x=y x=z", "{\"Labels\":{\"a b\":\"c\",\"x\":\"z\"}}"},
        {"USER", "USER requires exactly one argument"},
        {"USER a b", "{\"User\":\"a b\"}"},
        {"VOLUME [\"/a\",\"/b\"]", "{\"Volumes\":{\"/a\":{},\"/b\":{}}}"},
        {"VOLUME [\"\"]", "VOLUME specified can not be an empty string"},
        {"WORKDIR /a\nWORKDIR b/../c", "{\"WorkingDir\":\"/a/c\"}"},
        {"WORKDIR \"\"", "cannot normalize nothing"},
        {"ONBUILD  run   a  b", "{\"OnBuild\":[\"run   a  b\"]}"},
        {"ONBUILD ONBUILD x", "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"},
        {"ONBUILD FROM x", "FROM isn't allowed as an ONBUILD trigger"},
        {"STOPSIGNAL RTMIN+3", "{\"StopSignal\":\"RTMIN+3\"}"},
        {"STOPSIGNAL FOO", "invalid signal: FOO"},
        {"HEALTHCHECK NONE", "{\"Healthcheck\":{\"Test\":[\"NONE\"]}}"},
        {"HEALTHCHECK --retries=3 --timeout=1m30s CMD x  y",
         "{\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"x  y\"],\"Timeout\":90000000000,\"Retries\":3}}"},
        {"HEALTHCHECK --interval=1us CMD x", "Interval \"interval\" cannot be less than 1ms"},
        {"HEALTHCHECK --foo=1 CMD x", "unknown flag: foo"},
        {"HEALTHCHECK --retries=x CMD x", "strconv.ParseInt: parsing \"x\": invalid syntax"},
        {"HEALTHCHECK cmd []", "Missing command after HEALTHCHECK CMD"},
        {"HEALTHCHECK BAR x", "Unknown type \"BAR\" in HEALTHCHECK (try CMD)"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_free_ char *actual = outcome(rows[i].change);
        if (strcmp(actual, rows[i].outcome) != 0)
            fail_msg("%s\n  gave %s\n  not  %s", rows[i].change, actual, rows[i].outcome);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_changes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
