/* The processes of a container as the host's ps shows them. */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "base/spawn.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "runtime/cgroup.h"

#define OUTPUT_LIMIT ((size_t)16 << 20)

static void split_words(const char *text, struct strlist *out)
{
    while (*text) {
        text += strspn(text, " \t\r\n\v\f");
        size_t length = strcspn(text, " \t\r\n\v\f");
        if (length)
            strlist_take(out, xstrndup(text, length));
        text += length;
    }
}

/* Docker forbids headings that could be taken for the PID's (its regular expression `\\s+([^\\s]*)=\\s*(PID[^\\s]*)`).
 */
static bool check_arguments(const struct strlist *arguments, struct error *err)
{
    for (size_t i = 1; i < arguments->count; i++) {
        const char *word = arguments->items[i], *equals = strrchr(word, '=');
        if (!equals)
            continue;
        const char *heading = equals[1] || i + 1 == arguments->count ? equals + 1 : arguments->items[i + 1];
        bool is_pid = equals - word == 3 && strncmp(word, "pid", 3) == 0;
        if (string_starts_with(heading, "PID") && !is_pid)
            return error_set(err, ERROR_INTERNAL, "specifying \"%.*s=%s\" is not allowed", (int)(equals - word), word,
                             heading);
    }
    return true;
}

static json_t *titles_of(const struct strlist *words, size_t *pid_column, struct error *err)
{
    json_t *titles = json_array();
    *pid_column = words->count;
    for (size_t i = 0; i < words->count; i++) {
        json_array_append_new(titles, json_string(words->items[i]));
        if (string_equal(words->items[i], "PID") && *pid_column == words->count)
            *pid_column = i;
    }
    if (*pid_column < words->count)
        return titles;
    json_decref(titles);
    error_set(err, ERROR_INTERNAL, "Couldn't find PID field in ps output");
    return NULL;
}

/* A row has as many cells as there are titles: the last one takes the rest. */
static json_t *row_of(const struct strlist *words, size_t columns)
{
    json_t *row = json_array();
    for (size_t i = 0; i + 1 < columns && i < words->count; i++)
        json_array_append_new(row, json_string(words->items[i]));
    struct strbuf rest = STRBUF_INIT;
    for (size_t i = columns - 1; i < words->count; i++)
        strbuf_addf(&rest, "%s%s", rest.length ? " " : "", words->items[i]);
    json_t *last = json_string(strbuf_text(&rest));
    json_array_append_new(row, last ? last : json_string("?"));
    strbuf_release(&rest);
    return row;
}

static bool is_member(int64_t pid, const pid_t *pids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

static json_t *parse_output(const char *text, const pid_t *pids, size_t count, struct error *err)
{
    _cleanup_strlist_ struct strlist lines = strlist_split(text, '\n'), header = {0};
    size_t pid_column;
    split_words(lines.items[0], &header);
    json_t *titles = titles_of(&header, &pid_column, err);
    if (!titles)
        return NULL;
    json_t *processes = json_array();
    bool was_member = false;
    for (size_t i = 1; i < lines.count; i++) {
        _cleanup_strlist_ struct strlist words = {0};
        split_words(lines.items[i], &words);
        if (words.count == 0)
            continue;
        /* `ps m` shows the threads of a process below it, with "-" for their pid. */
        const char *pid = words.count > pid_column ? words.items[pid_column] : "-";
        int64_t number;
        if (!string_equal(pid, "-") && !parse_int64(pid, &number)) {
            json_decref(titles);
            json_decref(processes);
            error_set(err, ERROR_INTERNAL, "Unexpected pid '%s': strconv.Atoi: parsing \"%s\": invalid syntax", pid,
                      pid);
            return NULL;
        }
        was_member = string_equal(pid, "-") ? was_member : is_member(number, pids, count);
        if (was_member)
            json_array_append_new(processes, row_of(&words, header.count));
    }
    return json_pack("{s:o, s:o}", "Processes", processes, "Titles", titles);
}

static char *process_list(const pid_t *pids, size_t count)
{
    struct strbuf list = STRBUF_INIT;
    strbuf_add_string(&list, "-q");
    for (size_t i = 0; i < count; i++)
        strbuf_addf(&list, "%s%d", i ? "," : "", (int)pids[i]);
    return strbuf_take(&list);
}

static bool run_ps(const struct strlist *arguments, const char *only, struct strbuf *output, struct error *err)
{
    _cleanup_strlist_ struct strlist argv = {0};
    strlist_add(&argv, "ps");
    for (size_t i = 0; i < arguments->count; i++)
        strlist_add(&argv, arguments->items[i]);
    if (only)
        strlist_add(&argv, only);
    struct error why = ERROR_INIT;
    if (run((const char *const *)argv.items, NULL, OUTPUT_LIMIT, output, &why))
        return true;
    static const char failed[] = "ps failed: ";
    const char *message = error_message(&why);
    if (why.errno_value == ENOENT)
        error_set(err, ERROR_INTERNAL, "ps: exec: \"ps\": executable file not found in $PATH");
    else
        error_set(err, ERROR_INTERNAL, "ps: %s",
                  string_starts_with(message, failed) ? message + strlen(failed) : message);
    error_release(&why);
    return false;
}

json_t *container_top(struct engine *engine, const char *reference, const char *ps_arguments, struct error *err)
{
    _cleanup_strlist_ struct strlist arguments = {0};
    split_words(string_is_set(ps_arguments) ? ps_arguments : "-ef", &arguments);
    _cleanup_container_ struct container *container =
        check_arguments(&arguments, err) ? container_find(engine, reference, err) : NULL;
    if (!container)
        return NULL;
    container_lock(container);
    enum container_status status = container->status;
    _cleanup_free_ char *cgroup = xstrdup(container->record.cgroups_path);
    container_unlock(container);
    if (!status_is_running(status)) {
        error_set(err, ERROR_CONFLICT, "container %s is not running", container->record.id);
        return NULL;
    }
    if (status == STATUS_RESTARTING) {
        error_set(err, ERROR_CONFLICT, "Container %s is restarting, wait until the container is running",
                  container->record.id);
        return NULL;
    }
    _cleanup_free_ pid_t *pids = NULL;
    size_t count = 0;
    if (!cgroup_processes(cgroup, &pids, &count, NULL)) {
        error_set(err, ERROR_CONFLICT, "container %s is not running", container->record.id);
        return NULL;
    }
    /* -q asks ps for these processes alone; some options do without it. */
    _cleanup_free_ char *only = process_list(pids, count);
    _cleanup_strbuf_ struct strbuf output = STRBUF_INIT;
    if (!run_ps(&arguments, only, &output, NULL)) {
        strbuf_truncate(&output, 0);
        if (!run_ps(&arguments, NULL, &output, err))
            return NULL;
    }
    json_t *top = parse_output(strbuf_text(&output), pids, count, err);
    if (top)
        container_event(container, "top", NULL);
    return top;
}
