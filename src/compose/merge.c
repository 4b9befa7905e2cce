#include "compose/merge.h"

#include <fnmatch.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* Lists: what makes two entries the same one, which then is replaced. A row without a key compares whole texts. */
static const struct {
    const char *path;
    const char *keys[5];
} lists[] = {
    {"services.*.ports", {"host_ip", "target", "published", "protocol"}},
    {"services.*.volumes", {"target"}},
    {"services.*.devices", {"target"}},
    {"services.*.secrets", {"target"}},
    {"services.*.configs", {"target"}},
    {"services.*.env_file", {"path"}},
    {"networks.*.ipam.config", {"subnet"}},
    {"services.*.cap_add", {0}},
    {"services.*.cap_drop", {0}},
    {"services.*.device_cgroup_rules", {0}},
    {"services.*.dns", {0}},
    {"services.*.dns_opt", {0}},
    {"services.*.dns_search", {0}},
    {"services.*.expose", {0}},
    {"services.*.external_links", {0}},
    {"services.*.extra_hosts", {0}},
    {"services.*.group_add", {0}},
    {"services.*.links", {0}},
    {"services.*.networks.*.aliases", {0}},
    {"services.*.networks.*.link_local_ips", {0}},
    {"services.*.profiles", {0}},
    {"services.*.security_opt", {0}},
    {"services.*.tmpfs", {0}},
    {"services.*.volumes_from", {0}},
    {"services.*.build.tags", {0}},
    {"services.*.build.platforms", {0}},
    {"services.*.build.extra_hosts", {0}},
};

static const char *const replaced[] = {"services.*.command", "services.*.entrypoint", "services.*.healthcheck.test"};

static bool is_at(const char *path, const char *pattern)
{
    /* A "*" of the patterns stands for one name; names have no slash, so dots become slashes. */
    _cleanup_free_ char *left = xstrdup(path), *right = xstrdup(pattern);
    for (char *c = left; *c; c++)
        *c = *c == '\x1f' ? '/' : *c;
    for (char *c = right; *c; c++)
        *c = *c == '.' ? '/' : *c;
    return fnmatch(right, left, FNM_PATHNAME | FNM_NOESCAPE) == 0;
}

static bool is_same_value(const struct element *left, const struct element *right)
{
    const char *a = element_text(left), *b = element_text(right);
    return string_equal(a, b);
}

static bool is_same_entry(const struct element *left, const struct element *right, const char *const *keys)
{
    if (!keys[0])
        return left->text && string_equal(left->text, right->text);
    if (left->kind != ELEMENT_MAP || right->kind != ELEMENT_MAP)
        return false;
    for (; *keys; keys++) {
        const struct element *a = element_get(left, *keys), *b = element_get(right, *keys);
        if (!is_same_value(a, b))
            return false;
        /* Without a target, which configs may have not, the source counts. */
        if (!a && string_equal(*keys, "target") &&
            !is_same_value(element_get(left, "source"), element_get(right, "source")))
            return false;
    }
    return true;
}

static void merge_lists(struct element *base, struct element *over, const char *path)
{
    const char *const *keys = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(lists) && !keys; i++)
        if (is_at(path, lists[i].path))
            keys = lists[i].keys;
    for (size_t i = 0; i < over->count; i++) {
        struct element *item = TAKE_PTR(over->items[i]);
        size_t found = base->count;
        for (size_t j = 0; keys && j < base->count; j++)
            if (is_same_entry(base->items[j], item, keys))
                found = j;
        if (found == base->count) {
            element_append(base, item);
        } else {
            element_free(base->items[found]);
            base->items[found] = item;
        }
    }
    over->count = 0;
}

/* Options of a logging driver mean nothing to another one. */
static bool is_other_driver(const struct element *base, const struct element *over, const char *path)
{
    const char *before = element_text(element_get(base, "driver")), *after = element_text(element_get(over, "driver"));
    return is_at(path, "services.*.logging") && before && after && !string_equal(before, after);
}

static bool is_replaced(const struct element *base, const struct element *over, const char *path)
{
    if (over->merge == MERGE_OVERRIDE || base->kind != over->kind ||
        (base->kind != ELEMENT_MAP && base->kind != ELEMENT_LIST) || is_other_driver(base, over, path))
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(replaced); i++)
        if (is_at(path, replaced[i]))
            return true;
    return false;
}

static void merge(struct element *base, struct element *over, const char *path)
{
    if (base->kind == ELEMENT_LIST) {
        merge_lists(base, over, path);
        return;
    }
    for (size_t i = 0; i < over->count; i++) {
        struct element *item = TAKE_PTR(over->items[i]);
        const char *key = over->keys[i];
        struct element *before = element_get(base, key);
        _cleanup_free_ char *below = xasprintf("%s%s%s", path, *path ? "\x1f" : "", key);
        if (item->merge == MERGE_RESET) {
            element_remove(base, key);
            element_free(item);
        } else if (!before || is_replaced(before, item, below)) {
            /* A key without a value says nothing that an earlier file has not said better. */
            bool says_nothing = before && item->kind == ELEMENT_NULL && before->kind == ELEMENT_MAP;
            if (says_nothing) {
                element_free(item);
                continue;
            }
            item->merge = MERGE_USUAL;
            element_put(base, key, item);
        } else {
            merge(before, item, below);
            element_free(item);
        }
    }
    for (size_t i = 0; i < over->count; i++)
        free(over->keys[i]);
    over->count = 0;
}

void element_merge(struct element *base, struct element *over, const char *path)
{
    _cleanup_free_ char *separated = xstrdup(path);
    for (char *c = separated; *c; c++)
        *c = *c == '.' ? '\x1f' : *c;
    merge(base, over, separated);
    element_free(over);
}

void element_drop_resets(struct element *node)
{
    for (size_t i = 0; i < node->count;) {
        if (node->items[i]->merge == MERGE_RESET) {
            element_remove_at(node, i);
            continue;
        }
        node->items[i]->merge = MERGE_USUAL;
        element_drop_resets(node->items[i++]);
    }
}
