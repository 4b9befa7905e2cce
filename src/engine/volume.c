#include "engine/volume.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/check.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/volume_filter.h"
#include "engine/volume_local.h"
#include "engine/volume_table.h"
#include "store/check.h"
#include "json/json_record.h"

#define FIELD(macro, name, member, flags) macro(struct volume_request, name, member, flags)
static const struct field volume_request_fields[] = {
    FIELD(FIELD_STRING, "Name", name, OMIT_EMPTY),
    FIELD(FIELD_STRING, "Driver", driver, OMIT_EMPTY),
    FIELD(FIELD_MAP, "DriverOpts", options, OMIT_EMPTY),
    FIELD(FIELD_MAP, "Labels", labels, OMIT_EMPTY),
    FIELD(FIELD_JSON, "ClusterVolumeSpec", cluster_spec, OMIT_EMPTY),
};
#undef FIELD
const struct record_type volume_request_type =
    RECORD_TYPE("volume.CreateOptions", struct volume_request, volume_request_fields);

#define FIELD(macro, name, member, flags) macro(struct volume_record, name, member, flags)
static const struct field volume_record_fields[] = {
    FIELD(FIELD_STRING, "name", name, 0),
    FIELD(FIELD_INT64, "created", created, 0),
    FIELD(FIELD_MAP, "options", options, 0),
    FIELD(FIELD_MAP, "labels", labels, 0),
};
#undef FIELD
const struct record_type volume_record_type = RECORD_TYPE("volume", struct volume_record, volume_record_fields);

/* --- the table --- */

static void volume_free(struct volume *volume)
{
    record_release(&volume_record_type, &volume->record);
    strlist_release(&volume->holders);
    free(volume);
}

/* The place of the name, or where it would be. */
static size_t place_of(const struct volume_table *table, const char *name, bool *is_there)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(table->items[middle]->record.name, name);
        if (order == 0) {
            *is_there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *is_there = false;
    return low;
}

static struct volume *find(const struct volume_table *table, const char *name)
{
    bool is_there;
    size_t place = place_of(table, name, &is_there);
    return is_there ? table->items[place] : NULL;
}

/* The volume once nobody is busy with it; NULL where there is none. With the lock held. */
static struct volume *find_idle(struct volume_table *table, const char *name)
{
    struct volume *volume;
    while ((volume = find(table, name)) && volume->is_busy)
        pthread_cond_wait(&table->changed, &table->lock);
    return volume;
}

static void end_busy(struct volume_table *table, struct volume *volume)
{
    volume->is_busy = false;
    pthread_cond_broadcast(&table->changed);
}

static struct volume *add(struct volume_table *table, struct volume_record *record)
{
    bool is_there;
    size_t place = place_of(table, record->name, &is_there);
    struct volume *volume = NEW(struct volume);
    volume->record = *record;
    *record = (struct volume_record){0};
    (void)APPEND(table->items, table->count);
    memmove(&table->items[place + 1], &table->items[place], (table->count - 1 - place) * sizeof(struct volume *));
    table->items[place] = volume;
    return volume;
}

static void drop(struct volume_table *table, struct volume *volume)
{
    bool is_there;
    size_t place = place_of(table, volume->record.name, &is_there);
    memmove(&table->items[place], &table->items[place + 1], (table->count - 1 - place) * sizeof(struct volume *));
    table->count--;
    volume_free(volume);
    pthread_cond_broadcast(&table->changed);
}

static char *folder_of(const struct engine *engine, const char *name, const char *rest)
{
    return xasprintf("%s/volumes/%s%s", engine->options.data_root, name, rest);
}

static bool save(struct engine *engine, const struct volume_record *record, struct error *err)
{
    _cleanup_free_ char *body = record_format(&volume_record_type, record);
    return database_put(store_database(engine->store), "volume", record->name, body, DURABLE, err);
}

/* --- opening --- */

static void load(struct volume_table *table, const char *name, const char *body)
{
    struct error err = ERROR_INIT;
    struct volume_record record = {0};
    struct stat status;
    _cleanup_free_ char *folder = folder_of(table->engine, name, "/_data");
    if (!record_parse(&volume_record_type, body, strlen(body), &record, &err))
        log_and_release(LOG_LEVEL_ERROR, &err, "cannot read volume %s from the database", name);
    else if (stat(folder, &status) == 0)
        add(table, &record);
    else if (!database_delete(store_database(table->engine->store), "volume", name, NOT_DURABLE, &err))
        log_and_release(LOG_LEVEL_WARNING, &err, "cannot forget volume %s, which has no folder", name);
    record_release(&volume_record_type, &record);
}

/* A folder that the database does not know is of a version that kept no records, or of a crash before the record was
   written: a volume all the same. */
static void take_in(struct volume_table *table, const char *name)
{
    struct error err = ERROR_INIT;
    struct stat status;
    _cleanup_free_ char *folder = folder_of(table->engine, name, "/_data");
    if (find(table, name) || !volume_name_check(name, NULL) || stat(folder, &status) < 0)
        return;
    struct volume_record record = {.name = xstrdup(name)};
    record.created = (int64_t)status.st_ctim.tv_sec * NANOSECONDS_PER_SECOND;
    if (!save(table->engine, &record, &err))
        log_and_release(LOG_LEVEL_WARNING, &err, "cannot record volume %s", name);
    add(table, &record);
}

struct volume_table *volume_table_open(struct engine *engine, struct error *err)
{
    _cleanup_strmap_ struct strmap records = {0};
    if (!database_all(store_database(engine->store), "volume", &records, err))
        return NULL;
    struct volume_table *table = NEW(struct volume_table);
    table->engine = engine;
    pthread_mutex_init(&table->lock, NULL);
    pthread_cond_init(&table->changed, NULL);
    for (size_t i = 0; i < records.count; i++)
        load(table, records.items[i].key, records.items[i].value);
    _cleanup_free_ char *root = path_join(engine->options.data_root, "volumes");
    DIR *folder = opendir(root);
    const struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        take_in(table, entry->d_name);
    if (folder)
        closedir(folder);
    return table;
}

void volume_table_free(struct volume_table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->count; i++)
        volume_free(table->items[i]);
    free(table->items);
    pthread_cond_destroy(&table->changed);
    pthread_mutex_destroy(&table->lock);
    free(table);
}

void volume_unmount_stale(struct engine *engine)
{
    struct volume_table *table = engine->volumes;
    _cleanup_free_ char *root = path_join(engine->options.data_root, "volumes");
    _cleanup_strlist_ struct strlist mounted = {0};
    local_mounted_folders(root, &mounted);
    for (size_t i = mounted.count; i-- > 0;) {
        const char *rest = mounted.items[i] + strlen(root) + 1;
        _cleanup_free_ char *name = xstrndup(rest, strcspn(rest, "/"));
        pthread_mutex_lock(&table->lock);
        struct volume *volume = find(table, name);
        bool is_held = volume && volume->holders.count > 0;
        if (volume)
            volume->is_mounted = is_held;
        pthread_mutex_unlock(&table->lock);
        if (!is_held)
            local_unmount(mounted.items[i]);
    }
}

/* --- what a volume looks like --- */

static json_t *map_json(const struct strmap *map)
{
    if (!map->items)
        return json_null();
    json_t *json = json_object();
    for (size_t i = 0; i < map->count; i++)
        json_object_set_new(json, map->items[i].key, json_string(string_or_empty(map->items[i].value)));
    return json;
}

static json_t *describe(const struct engine *engine, const struct volume_record *record)
{
    char created[TIME_TEXT_SIZE];
    _cleanup_free_ char *folder = folder_of(engine, record->name, "/_data");
    time_format(record->created / NANOSECONDS_PER_SECOND * NANOSECONDS_PER_SECOND, created);
    return json_pack("{s:s, s:s, s:o, s:s, s:s, s:o, s:s}", "CreatedAt", created, "Driver", "local", "Labels",
                     map_json(&record->labels), "Mountpoint", folder, "Name", record->name, "Options",
                     map_json(&record->options), "Scope", "local");
}

/* --- create --- */

bool volume_name_check(const char *name, struct error *err)
{
    bool is_good = isalnum((unsigned char)name[0]);
    if (strlen(name) == 1)
        return error_set(err, ERROR_INVALID,
                         "create %s: volume name is too short, names should be at least two alphanumeric characters",
                         name);
    for (const char *c = name; *c && is_good; c++)
        is_good = isalnum((unsigned char)*c) || strchr("_.-", *c);
    return is_good || error_set(err, ERROR_INVALID,
                                "create %s: \"%s\" includes invalid characters for a local volume name, only "
                                "\"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, "
                                "use absolute path",
                                name, name);
}

/* Makes the folder and the record; the volume comes back busy, so that nobody sees it half-made. */
static bool make(struct volume_table *table, struct volume_record *record, json_t **shown, struct error *err)
{
    struct engine *engine = table->engine;
    struct volume *volume = add(table, record);
    const struct volume_record *made = &volume->record;
    _cleanup_free_ char *name = xstrdup(made->name);
    volume->is_busy = true;
    pthread_mutex_unlock(&table->lock);
    _cleanup_free_ char *folder = folder_of(engine, made->name, "");
    _cleanup_free_ char *data = folder_of(engine, made->name, "/_data");
    bool is_made = directory_make(folder, 0701, err) && directory_make(data, 0755, err) && save(engine, made, err);
    if (!is_made)
        tree_remove(AT_FDCWD, folder, NULL);
    else
        *shown = describe(engine, made);
    if (is_made)
        event_emit_pairs(engine, "volume", "create", name, "driver", "local", NULL);
    pthread_mutex_lock(&table->lock);
    end_busy(table, volume);
    if (!is_made)
        drop(table, volume);
    return is_made || error_prefix(err, "create %s: error while creating volume", name);
}

json_t *volume_create(struct engine *engine, const struct volume_request *request, struct error *err)
{
    struct volume_table *table = engine->volumes;
    char id[ID_LENGTH + 1];
    bool is_anonymous = !string_is_set(request->name);
    if (is_anonymous)
        id_generate(id);
    const char *name = is_anonymous ? id : request->name;
    if (request->cluster_spec) {
        error_set(
            err, ERROR_UNAVAILABLE,
            "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this "
            "node to swarm and try again.");
        return NULL;
    }
    if (string_is_set(request->driver) && !string_equal(request->driver, "local")) {
        error_set(err, ERROR_NOT_FOUND, "create %s: error looking up volume plugin %s: plugin \"%s\" not found", name,
                  request->driver, request->driver);
        return NULL;
    }
    json_t *shown = NULL;
    pthread_mutex_lock(&table->lock);
    struct volume *volume = find_idle(table, name);
    if (volume) {
        shown = describe(engine, &volume->record);
    } else if (volume_name_check(name, err)) {
        struct volume_record record = {.name = xstrdup(name), .created = clock_now()};
        if (local_options_check(&request->options, err)) {
            strmap_copy(&record.options, &request->options);
            strmap_copy(&record.labels, &request->labels);
            if (is_anonymous)
                strmap_set(&record.labels, VOLUME_ANONYMOUS_LABEL, "");
            make(table, &record, &shown, err);
        } else {
            error_prefix(err, "create %s", name);
        }
        record_release(&volume_record_type, &record);
    }
    pthread_mutex_unlock(&table->lock);
    return shown;
}

/* --- inspect and list --- */

static bool no_such_volume(const char *name, struct error *err)
{
    return error_set(err, ERROR_NOT_FOUND, "get %s: no such volume", name);
}

json_t *volume_inspect(struct engine *engine, const char *name, struct error *err)
{
    struct volume_table *table = engine->volumes;
    pthread_mutex_lock(&table->lock);
    const struct volume *volume = find_idle(table, name);
    json_t *shown = volume ? describe(engine, &volume->record) : NULL;
    pthread_mutex_unlock(&table->lock);
    if (!shown)
        no_such_volume(name, err);
    return shown;
}

/* The names of the volumes of all containers, one for each mount, sorted. */
static void names_in_use(struct engine *engine, struct strlist *out)
{
    size_t count;
    struct container **all = container_snapshot(engine, &count);
    for (size_t i = 0; i < count; i++) {
        container_lock(all[i]);
        const struct record_list *mounts = &all[i]->record.mounts;
        for (size_t j = 0; j < mounts->count; j++) {
            const struct mount_point *point = &RECORD_AT(*mounts, struct container_mount, j)->point;
            if (point->name && string_equal(point->type, "volume"))
                strlist_add(out, point->name);
        }
        container_unlock(all[i]);
    }
    container_snapshot_release(all, count);
    strlist_sort(out);
}

static size_t count_of(const struct strlist *sorted, const char *name)
{
    size_t low = 0, high = sorted->count, count = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(sorted->items[middle], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    while (low + count < sorted->count && string_equal(sorted->items[low + count], name))
        count++;
    return count;
}

json_t *volume_list(struct engine *engine, const json_t *filters, struct error *err)
{
    struct volume_table *table = engine->volumes;
    if (!volume_filter_check(filters, err))
        return NULL;
    _cleanup_strlist_ struct strlist used = {0};
    if (json_object_get(filters, "dangling"))
        names_in_use(engine, &used);
    json_t *list = json_array();
    pthread_mutex_lock(&table->lock);
    for (size_t i = 0; i < table->count; i++) {
        const struct volume_record *record = &table->items[i]->record;
        if (volume_filter_matches(filters, record, count_of(&used, record->name) > 0))
            json_array_append_new(list, describe(engine, record));
    }
    pthread_mutex_unlock(&table->lock);
    return list;
}

json_t *volume_list_usage(struct engine *engine)
{
    json_t *list = volume_list(engine, NULL, NULL);
    _cleanup_strlist_ struct strlist used = {0};
    names_in_use(engine, &used);
    size_t i;
    json_t *volume;
    json_array_foreach(list, i, volume)
    {
        const char *name = json_string_value(json_object_get(volume, "Name"));
        const char *folder = json_string_value(json_object_get(volume, "Mountpoint"));
        json_object_set_new(volume, "UsageData",
                            json_pack("{s:I, s:I}", "RefCount", (json_int_t)count_of(&used, name), "Size",
                                      (json_int_t)volume_folder_size(folder)));
    }
    return list;
}

/* --- remove --- */

static void users_of(struct engine *engine, const char *name, const char *except, struct strlist *out)
{
    size_t count;
    struct container **all = container_snapshot(engine, &count);
    for (size_t i = 0; i < count; i++) {
        container_lock(all[i]);
        const struct record_list *mounts = &all[i]->record.mounts;
        bool is_user = false;
        for (size_t j = 0; j < mounts->count && !is_user; j++) {
            const struct mount_point *point = &RECORD_AT(*mounts, struct container_mount, j)->point;
            is_user = string_equal(point->type, "volume") && string_equal(point->name, name);
        }
        /* Of two that are removed at once each would leave the volume to the other. */
        bool is_leaving = all[i]->is_removed || (except && all[i]->status == STATUS_REMOVING);
        if (is_user && !is_leaving && !string_equal(all[i]->record.id, except))
            strlist_add(out, all[i]->record.id);
        container_unlock(all[i]);
    }
    container_snapshot_release(all, count);
}

/* With the lock held, which is let go meanwhile. `except` is a container that does not count. *space (may be NULL) is
 * what its files took. */
static bool remove_idle(struct volume_table *table, struct volume *volume, const char *except, int64_t *space,
                        struct error *err)
{
    struct engine *engine = table->engine;
    const char *name = volume->record.name;
    _cleanup_strlist_ struct strlist users = {0};
    users_of(engine, name, except, &users);
    if (users.count) {
        _cleanup_free_ char *ids = strlist_join(&users, ", ");
        return error_set(err, ERROR_CONFLICT, "remove %s: volume is in use - [%s]", name, ids);
    }
    volume->is_busy = true;
    pthread_mutex_unlock(&table->lock);
    _cleanup_free_ char *folder = folder_of(engine, name, "");
    _cleanup_free_ char *data = folder_of(engine, name, "/_data");
    /* What a crash has left mounted there is not the volume's to be emptied. */
    if (local_needs_mount(&volume->record.options))
        local_unmount(data);
    int64_t size = space ? volume_folder_size(data) : 0;
    /* The record goes first: what a crash leaves of the folder is taken in again, and can be removed again. */
    bool is_removed = database_delete(store_database(engine->store), "volume", name, DURABLE, err) &&
                      (tree_remove(AT_FDCWD, folder, err) || error_prefix(err, "remove %s", name));
    pthread_mutex_lock(&table->lock);
    end_busy(table, volume);
    if (is_removed) {
        event_emit_pairs(engine, "volume", "destroy", name, "driver", "local", NULL);
        drop(table, volume);
        if (space)
            *space = size;
    }
    return is_removed;
}

bool volume_remove(struct engine *engine, const char *name, bool is_forced, struct error *err)
{
    struct volume_table *table = engine->volumes;
    pthread_mutex_lock(&table->lock);
    struct volume *volume = find_idle(table, name);
    bool is_done = volume ? remove_idle(table, volume, NULL, NULL, err) : is_forced || no_such_volume(name, err);
    pthread_mutex_unlock(&table->lock);
    return is_done;
}

bool volume_remove_last(struct engine *engine, const char *name, const char *container, struct error *err)
{
    struct volume_table *table = engine->volumes;
    _cleanup_error_ struct error why = ERROR_INIT;
    pthread_mutex_lock(&table->lock);
    struct volume *volume = find_idle(table, name);
    bool is_done = !volume || remove_idle(table, volume, container, NULL, &why) || why.kind == ERROR_CONFLICT;
    pthread_mutex_unlock(&table->lock);
    return is_done || error_move(err, &why);
}

bool volume_prune(struct engine *engine, const json_t *filters, bool removes_named, struct strlist *deleted,
                  int64_t *space, struct error *err)
{
    struct volume_table *table = engine->volumes;
    bool removes_all = removes_named;
    if (!volume_prune_filter_check(filters, &removes_all, err))
        return false;
    _cleanup_strlist_ struct strlist names = {0}, used = {0};
    names_in_use(engine, &used);
    pthread_mutex_lock(&table->lock);
    for (size_t i = 0; i < table->count; i++) {
        const struct volume_record *record = &table->items[i]->record;
        bool is_anonymous = strmap_get(&record->labels, VOLUME_ANONYMOUS_LABEL) != NULL;
        /* As Docker: who has given options cares. */
        if ((removes_all || is_anonymous) && !record->options.count && !count_of(&used, record->name) &&
            volume_prune_filter_matches(filters, record))
            strlist_add(&names, record->name);
    }
    for (size_t i = 0; i < names.count; i++) {
        struct error why = ERROR_INIT;
        int64_t size = 0;
        struct volume *volume = find_idle(table, names.items[i]);
        if (volume && remove_idle(table, volume, NULL, &size, &why)) {
            strlist_add(deleted, names.items[i]);
            *space += size;
        } else if (why.kind && why.kind != ERROR_CONFLICT) {
            log_and_release(LOG_LEVEL_WARNING, &why, "could not prune volume %s", names.items[i]);
        }
        error_release(&why);
    }
    pthread_mutex_unlock(&table->lock);
    _cleanup_free_ char *reclaimed = xasprintf("%lld", (long long)*space);
    event_emit_pairs(engine, "volume", "prune", "", "reclaimed", reclaimed, NULL);
    return true;
}

/* --- check --- */

/* Nothing is ever removed of a volume's data: a folder without a record becomes a volume again. */
static void check_folder(struct volume_table *table, const char *name, bool repairs, struct record_list *findings)
{
    struct stat status;
    _cleanup_free_ char *folder = folder_of(table->engine, name, "/_data");
    if (find(table, name) || !volume_name_check(name, NULL) || stat(folder, &status) < 0)
        return;
    struct finding *finding =
        finding_add(findings, "volume", name, volume_folder_size(folder), "take it in as a volume, with its data", true,
                    "its folder is there, and no volume");
    if (!repairs)
        return;
    take_in(table, name);
    finding->is_repaired = true;
}

/* True where the volume was dropped from the table. */
static bool check_record(struct volume_table *table, struct volume *volume, bool repairs, struct record_list *findings)
{
    struct stat status;
    const char *name = volume->record.name;
    _cleanup_strlist_ struct strlist users = {0};
    _cleanup_free_ char *folder = folder_of(table->engine, name, "/_data");
    if (volume->is_busy || stat(folder, &status) == 0)
        return false;
    users_of(table->engine, name, NULL, &users);
    struct finding *finding =
        finding_add(findings, "volume", name, 0, users.count ? "remove its containers, then it" : "forget it",
                    !users.count, "its folder is gone; %zu containers have it", users.count);
    if (!repairs || users.count)
        return false;
    struct error why = ERROR_INIT;
    finding_settle(finding, database_delete(store_database(table->engine->store), "volume", name, DURABLE, &why), &why);
    if (finding->is_repaired)
        drop(table, volume);
    return finding->is_repaired;
}

void volumes_check(struct engine *engine, bool repairs, struct record_list *findings)
{
    struct volume_table *table = engine->volumes;
    _cleanup_free_ char *root = path_join(engine->options.data_root, "volumes");
    pthread_mutex_lock(&table->lock);
    for (size_t i = 0; i < table->count;)
        i += !check_record(table, table->items[i], repairs, findings);
    DIR *folder = opendir(root);
    const struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        check_folder(table, entry->d_name, repairs, findings);
    if (folder)
        closedir(folder);
    pthread_mutex_unlock(&table->lock);
}

/* --- mounts --- */

bool volume_mount(struct engine *engine, const char *name, const char *container, char **path, struct error *err)
{
    struct volume_table *table = engine->volumes;
    pthread_mutex_lock(&table->lock);
    struct volume *volume = find_idle(table, name);
    bool is_good = volume || no_such_volume(name, err);
    if (is_good && !volume->is_mounted && local_needs_mount(&volume->record.options)) {
        _cleanup_free_ char *folder = folder_of(engine, name, "/_data");
        volume->is_busy = true;
        pthread_mutex_unlock(&table->lock);
        is_good = local_mount(&volume->record.options, folder, err) ||
                  error_prefix(err, "error while mounting volume '%s'", folder);
        pthread_mutex_lock(&table->lock);
        end_busy(table, volume);
        volume->is_mounted = is_good;
    }
    if (is_good) {
        strlist_add(&volume->holders, container);
        *path = folder_of(engine, name, "/_data");
    }
    pthread_mutex_unlock(&table->lock);
    return is_good;
}

void volume_unmount(struct engine *engine, const char *name, const char *container)
{
    struct volume_table *table = engine->volumes;
    pthread_mutex_lock(&table->lock);
    struct volume *volume = find_idle(table, name);
    for (size_t i = 0; volume && i < volume->holders.count; i++)
        if (string_equal(volume->holders.items[i], container)) {
            strlist_remove(&volume->holders, i);
            break;
        }
    if (volume && !volume->holders.count && volume->is_mounted) {
        _cleanup_free_ char *folder = folder_of(engine, name, "/_data");
        local_unmount(folder);
        volume->is_mounted = false;
    }
    pthread_mutex_unlock(&table->lock);
}

void volume_readopt(struct engine *engine, const char *name, const char *container)
{
    struct volume_table *table = engine->volumes;
    pthread_mutex_lock(&table->lock);
    struct volume *volume = find(table, name);
    if (volume)
        strlist_add(&volume->holders, container);
    pthread_mutex_unlock(&table->lock);
}
