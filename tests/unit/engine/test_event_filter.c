/* Which events pass which filters, by Docker's rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "engine/event_filter.h"

static bool matches(const struct event *event, const char *filters)
{
    json_t *json = json_loads(filters, 0, NULL);
    assert_non_null(json);
    bool is_match = event_matches(json, event);
    json_decref(json);
    return is_match;
}

static struct event event_of(const char *type, const char *action, const char *id)
{
    struct event event = {.type = xstrdup(type), .action = xstrdup(action), .id = xstrdup(id)};
    return event;
}

static void release(struct event *event)
{
    free(event->type);
    free(event->action);
    free(event->id);
    strmap_release(&event->attributes);
}

static void test_container(void **state)
{
    (void)state;
    struct event event = event_of("container", "start", "0123456789ab");
    strmap_set(&event.attributes, "image", "repo/busybox:1.36");
    strmap_set(&event.attributes, "name", "web");
    strmap_set(&event.attributes, "team", "a");
    assert_true(event_matches(NULL, &event));
    assert_true(matches(&event, "{}"));
    assert_true(matches(&event, "{\"type\":[\"image\",\"container\"]}"));
    assert_false(matches(&event, "{\"type\":[\"contain\"]}"));
    assert_true(matches(&event, "{\"container\":[\"0123\"]}"));
    assert_true(matches(&event, "{\"container\":[\"we\"]}"));
    assert_false(matches(&event, "{\"container\":[\"x\"]}"));
    assert_true(matches(&event, "{\"image\":[\"repo/busybox\"]}"));
    assert_true(matches(&event, "{\"image\":[\"repo/busybox:1.36\"]}"));
    assert_false(matches(&event, "{\"image\":[\"busybox\"]}"));
    assert_true(matches(&event, "{\"label\":[\"team\"]}"));
    assert_true(matches(&event, "{\"label\":[\"team=a\",\"name\"]}"));
    assert_false(matches(&event, "{\"label\":[\"team=a\",\"other\"]}"));
    assert_false(matches(&event, "{\"event\":[\"sta\"]}"));
    assert_true(matches(&event, "{\"scope\":[\"local\"]}"));
    assert_false(matches(&event, "{\"scope\":[\"swarm\"]}"));
    assert_false(matches(&event, "{\"volume\":[\"data\"]}"));
    assert_true(matches(&event, "{\"nonsense\":[\"x\"]}"));
    release(&event);
}

static void test_open_actions(void **state)
{
    (void)state;
    struct event event = event_of("container", "exec_start: sh -c date", "id");
    assert_true(matches(&event, "{\"event\":[\"exec_start\"]}"));
    assert_false(matches(&event, "{\"event\":[\"exec_die\"]}"));
    assert_true(matches(&event, "{\"event\":[\"exec_start: sh -c date\"]}"));
    assert_false(matches(&event, "{\"event\":[\"exec_start: sh\"]}"));
    release(&event);
    event = event_of("container", "health_status: healthy", "id");
    assert_true(matches(&event, "{\"event\":[\"health_status\"]}"));
    assert_false(matches(&event, "{\"event\":[\"health_status: unhealthy\"]}"));
    release(&event);
}

static void test_image(void **state)
{
    (void)state;
    struct event event = event_of("image", "tag", "sha256:abc");
    strmap_set(&event.attributes, "name", "host:5000/app:v1");
    assert_true(matches(&event, "{\"image\":[\"host:5000/app\"]}"));
    assert_true(matches(&event, "{\"image\":[\"sha256:abc\"]}"));
    assert_false(matches(&event, "{\"image\":[\"host\"]}"));
    release(&event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_container),
        cmocka_unit_test(test_open_actions),
        cmocka_unit_test(test_image),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
