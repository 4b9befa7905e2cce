/* The state machine and the restart policies, without a kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/lifecycle.h"

static void assert_check(enum container_status status, enum container_verb verb, enum error_kind kind,
                         const char *message)
{
    _cleanup_error_ struct error err = ERROR_INIT;
    assert_int_equal(lifecycle_check(status, verb, "ID", "name", "ref", &err), kind == ERROR_NONE);
    assert_int_equal(err.kind, kind);
    if (message)
        assert_string_equal(error_message(&err), message);
}

static void test_verbs(void **state)
{
    (void)state;
    assert_check(STATUS_CREATED, VERB_START, ERROR_NONE, NULL);
    assert_check(STATUS_EXITED, VERB_START, ERROR_NONE, NULL);
    assert_check(STATUS_RUNNING, VERB_START, ERROR_NOT_MODIFIED, NULL);
    assert_check(STATUS_PAUSED, VERB_START, ERROR_CONFLICT, "cannot start a paused container, try unpause instead");
    assert_check(STATUS_EXITED, VERB_STOP, ERROR_NOT_MODIFIED, NULL);
    assert_check(STATUS_EXITED, VERB_KILL, ERROR_CONFLICT, "cannot kill container: ref: container ID is not running");
    assert_check(STATUS_PAUSED, VERB_PAUSE, ERROR_CONFLICT, "Container ID is already paused");
    assert_check(STATUS_RUNNING, VERB_UNPAUSE, ERROR_INTERNAL, "Container ID is not paused");
    assert_check(STATUS_RUNNING, VERB_REMOVE, ERROR_CONFLICT,
                 "cannot remove container \"/name\": container is running: stop the container before removing or force "
                 "remove");
    assert_check(STATUS_PAUSED, VERB_REMOVE, ERROR_CONFLICT,
                 "cannot remove container \"/name\": container is paused and must be unpaused first");
    assert_check(STATUS_RUNNING, VERB_REMOVE_FORCED, ERROR_NONE, NULL);
    assert_check(STATUS_PAUSED, VERB_EXEC, ERROR_CONFLICT,
                 "Container ref is paused, unpause the container before exec");
    assert_check(STATUS_EXITED, VERB_ATTACH, ERROR_NONE, NULL);
}

#define SECOND NANOSECONDS_PER_SECOND

static void test_back_off(void **state)
{
    (void)state;
    struct restart_state restart = {.kind = RESTART_ALWAYS};
    for (int64_t delay = SECOND / 10, i = 0; i<14; i++, delay = delay * 2> 60 * SECOND ? 60 * SECOND : delay * 2) {
        assert_true(restart_after_exit(&restart, 0, SECOND));
        assert_int_equal(restart.delay, delay);
    }
    assert_true(restart_after_exit(&restart, 0, 10 * SECOND));
    assert_int_equal(restart.delay, SECOND / 10);
    assert_int_equal(restart.count, 15);
    restart.is_stopped_by_user = true;
    assert_false(restart_after_exit(&restart, 0, SECOND));
}

static void test_on_failure(void **state)
{
    (void)state;
    struct restart_state restart = {.kind = RESTART_ON_FAILURE, .maximum_retries = 2};
    assert_false(restart_after_exit(&restart, 0, SECOND));
    assert_true(restart_after_exit(&restart, 1, SECOND));
    assert_true(restart_after_exit(&restart, 1, SECOND));
    assert_false(restart_after_exit(&restart, 1, SECOND));
}

static void test_boot(void **state)
{
    (void)state;
    struct restart_state restart = {.kind = RESTART_ALWAYS, .is_stopped_by_user = true};
    assert_true(restart_at_boot(&restart, STATUS_EXITED, 0));
    assert_false(restart_at_boot(&restart, STATUS_CREATED, 0));
    restart.kind = RESTART_UNLESS_STOPPED;
    assert_false(restart_at_boot(&restart, STATUS_EXITED, 0));
    restart.is_stopped_by_user = false;
    assert_true(restart_at_boot(&restart, STATUS_EXITED, 0));
    restart = (struct restart_state){.kind = RESTART_ON_FAILURE, .is_stopped_by_user = true};
    assert_false(restart_at_boot(&restart, STATUS_EXITED, 0));
    assert_true(restart_at_boot(&restart, STATUS_EXITED, 137));
    assert_false(restart_at_boot(&restart, STATUS_CREATED, 127));
    restart.count = restart.maximum_retries = 1;
    assert_false(restart_at_boot(&restart, STATUS_EXITED, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verbs),
        cmocka_unit_test(test_back_off),
        cmocka_unit_test(test_on_failure),
        cmocka_unit_test(test_boot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
