#include "store/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/tree_size.h"
#include "store/internal.h"

/* What was made by this engine and is left in tmp so long after its last change is nobody's any more. */
#define TEMPORARY_AGE (600 * NANOSECONDS_PER_SECOND)

#define FIELD(macro, name, member) macro(struct finding, name, member, 0)
static const struct field finding_fields[] = {
    FIELD(FIELD_STRING, "Kind", kind),          FIELD(FIELD_STRING, "Name", name),
    FIELD(FIELD_INT64, "Size", size),           FIELD(FIELD_STRING, "Problem", problem),
    FIELD(FIELD_STRING, "Repair", repair),      FIELD(FIELD_BOOL, "Repairable", is_repairable),
    FIELD(FIELD_BOOL, "Repaired", is_repaired), FIELD(FIELD_STRING, "Error", failure),
};
#undef FIELD
const struct record_type finding_type = RECORD_TYPE("Finding", struct finding, finding_fields);

struct finding *finding_add(struct record_list *findings, const char *kind, const char *name, int64_t size,
                            const char *repair, bool is_repairable, const char *problem, ...)
{
    struct finding *finding = record_list_add(findings, &finding_type);
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    va_list arguments;
    va_start(arguments, problem);
    strbuf_vaddf(&text, problem, arguments);
    va_end(arguments);
    *finding = (struct finding){.kind = xstrdup(kind),
                                .name = xstrdup(name),
                                .size = size,
                                .problem = strbuf_take(&text),
                                .repair = xstrdup(repair),
                                .is_repairable = is_repairable};
    return finding;
}

void finding_settle(struct finding *finding, bool is_repaired, struct error *why)
{
    finding->is_repaired = is_repaired;
    if (!is_repaired)
        string_replace(&finding->failure, error_message(why));
    error_release(why);
}

/* --- what is there --- */

struct layer_row {
    char *diff_id, *blob;
};
struct view {
    struct store_check *check;
    struct layer_row *layers; /* by diff id */
    size_t layer_count;
    struct strlist folders; /* diff ids, sorted, as the next */
    struct strlist blobs;   /* digests on the disk */
    struct strlist wanted;  /* digests that something refers to */
    struct strlist images;  /* ids */
};

static void view_release(struct view *view)
{
    for (size_t i = 0; i < view->layer_count; i++) {
        free(view->layers[i].diff_id);
        free(view->layers[i].blob);
    }
    free(view->layers);
    strlist_release(&view->folders);
    strlist_release(&view->blobs);
    strlist_release(&view->wanted);
    strlist_release(&view->images);
}

static bool has(const struct strlist *sorted, const char *text)
{
    size_t low = 0, high = sorted->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(sorted->items[middle], text);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* The texts of the first column. */
static bool read_column(struct store *store, const char *sql, struct strlist *out, struct error *err)
{
    sqlite3_stmt *statement = database_statement(store->database, sql, err);
    int state = -1;
    while (statement && (state = database_step(store->database, statement, err)) == 1)
        strlist_add(out, (const char *)sqlite3_column_text(statement, 0));
    return state == 0;
}

static bool read_layers(struct store *store, struct view *view, struct error *err)
{
    static const char sql[] = "SELECT diff_id, blob_digest FROM layers ORDER BY diff_id";
    sqlite3_stmt *statement = database_statement(store->database, sql, err);
    int state = -1;
    while (statement && (state = database_step(store->database, statement, err)) == 1) {
        struct layer_row *row = APPEND(view->layers, view->layer_count);
        row->diff_id = xstrdup((const char *)sqlite3_column_text(statement, 0));
        row->blob = xstrdup((const char *)sqlite3_column_text(statement, 1));
    }
    return state == 0;
}

static bool read_database(struct store *store, struct view *view, struct error *err)
{
    static const char wanted[] = SQL_USED_BLOBS;
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    bool is_read = read_layers(store, view, err) && read_column(store, wanted, &view->wanted, err) &&
                   read_column(store, "SELECT id FROM images", &view->images, err);
    is_read = database_end(store->database, is_read, is_read ? err : NULL) && is_read;
    strlist_sort(&view->wanted);
    return is_read;
}

/* Names in a folder, with `prefix` before each; sorted. */
static bool read_names(struct store *store, int folder, const char *prefix, struct strlist *out, struct error *err)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        error_errno(err, "read a folder of %s", store->data_root);
        close_fd(fd);
        return false;
    }
    const struct dirent *entry;
    while ((entry = readdir(stream)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            strlist_addf(out, "%s%s", prefix, entry->d_name);
    closedir(stream);
    strlist_sort(out);
    return true;
}

/* --- without the lock: what the database has and the disk has not --- */

static const char by_hand_image[] = "remove its images (wherry rmi) and pull or build them again";

static bool images_of_layer(struct store *store, const char *diff_id, struct strlist *out, struct error *err)
{
    static const char sql[] = "SELECT image_id FROM image_layers WHERE diff_id = ?";
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    sqlite3_stmt *statement = database_statement(store->database, sql, err);
    int state = -1;
    if (statement)
        sqlite3_bind_text(statement, 1, diff_id, -1, SQLITE_STATIC);
    while (statement && (state = database_step(store->database, statement, err)) == 1)
        strlist_add(out, (const char *)sqlite3_column_text(statement, 0));
    return database_end(store->database, true, state == 0 ? err : NULL) && state == 0;
}

static bool check_layer(struct store *store, struct view *view, const struct layer_row *row, struct error *err)
{
    struct record_list *findings = &view->check->findings;
    /* One that was made here has no blob before it is pushed. */
    bool needs_blob = *row->blob != '\0', has_blob = needs_blob && has(&view->blobs, row->blob);
    bool has_folder = has(&view->folders, row->diff_id);
    if (has_folder && (has_blob || !needs_blob))
        return true;
    _cleanup_strlist_ struct strlist images = {0};
    if (!images_of_layer(store, row->diff_id, &images, err))
        return false;
    const char *example = images.count ? images.items[0] : "no image";
    if (!has_folder) {
        struct finding *finding =
            finding_add(findings, "layer", row->diff_id, 0, has_blob ? "unpack it again" : by_hand_image, has_blob,
                        "its folder is gone; in use by %zu images: %s", images.count, example);
        struct error why = ERROR_INIT;
        if (has_blob && view->check->repairs)
            finding_settle(finding, layer_unpack_again(store, row->diff_id, &why), &why);
    }
    if (needs_blob && !has_blob)
        finding_add(findings, "layer", row->diff_id, 0, by_hand_image, false,
                    "its blob %s is gone: its images can be neither saved nor pushed; in use by %zu images: %s",
                    row->blob, images.count, example);
    return true;
}

static bool check_image(struct store *store, struct view *view, const char *id, struct error *err)
{
    if (has(&view->blobs, id))
        return true;
    struct error why = ERROR_INIT;
    struct finding *finding =
        finding_add(&view->check->findings, "image", id, 0, "write it again", true, "the blob of its config is gone");
    if (!view->check->repairs)
        return true;
    _cleanup_image_ struct image image = {0};
    _cleanup_free_ char *digest = NULL;
    bool is_done = image_get(store, id, &image, &why) &&
                   blob_put(store, image.config, strlen(image.config), &digest, &why) &&
                   (string_equal(digest, id) || error_set(&why, ERROR_INTERNAL, "the database has another config"));
    finding_settle(finding, is_done, &why);
    return true;
}

static bool check_present(struct store *store, struct view *view, struct error *err)
{
    bool is_good = true;
    for (size_t i = 0; i < view->layer_count && is_good; i++)
        is_good = check_layer(store, view, &view->layers[i], err);
    for (size_t i = 0; i < view->images.count && is_good; i++)
        is_good = check_image(store, view, view->images.items[i], err);
    return is_good;
}

/* --- with the lock, and nothing coming in: what nothing refers to --- */

static bool is_layer(const struct view *view, const char *diff_id)
{
    size_t low = 0, high = view->layer_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(view->layers[middle].diff_id, diff_id);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* Out of sight: what is in tmp is removed afterwards, without the lock. */
static bool retire(struct store *store, int folder, const char *name, struct strlist *retired, struct error *err)
{
    _cleanup_free_ char *temporary = store_temporary_name(store, "removed");
    if (renameat(folder, name, store->temporary, temporary) < 0)
        return error_errno(err, "rename %s", name);
    strlist_take(retired, TAKE_PTR(temporary));
    return true;
}

static int64_t size_of(int folder, const char *name)
{
    struct stat status;
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    return S_ISDIR(status.st_mode) ? tree_size(folder, name) : (int64_t)status.st_size;
}

static void check_unowned(struct store *store, struct view *view, int folder, const char *kind,
                          const struct strlist *names, size_t prefix, struct strlist *retired)
{
    bool is_layers = folder == store->layers;
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i];
        if (is_layers ? is_layer(view, name) : has(&view->wanted, name))
            continue;
        struct finding *finding =
            finding_add(&view->check->findings, kind, name, size_of(folder, name + prefix), "remove it", true,
                        is_layers ? "no row of the database has it" : "nothing refers to it");
        struct error why = ERROR_INIT;
        if (view->check->repairs)
            finding_settle(finding, retire(store, folder, name + prefix, retired, &why), &why);
    }
}

/* Made by this process: its names are counted. */
static bool is_own(struct store *store, const char *name)
{
    const char *dash = strrchr(name, '-');
    char *end = NULL;
    unsigned long long number = dash ? strtoull(dash + 1, &end, 10) : 0;
    return dash && dash[1] && !*end && number < atomic_load(&store->temporary_count);
}

/* Of what this process has made it is known only of these kinds who uses them: a build, say, keeps its folders for as
   long as it likes. */
static bool may_be_in_use(struct store *store, const char *name, const struct stat *status)
{
    static const char *const kinds[] = {"blob-", "layer-", "removed-", "container-"};
    if (!is_own(store, name))
        return false;
    if (string_starts_with(name, "load-"))
        return atomic_load(&store->spool_count) > 0;
    int64_t changed = (int64_t)status->st_ctim.tv_sec * NANOSECONDS_PER_SECOND + status->st_ctim.tv_nsec;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (string_starts_with(name, kinds[i]))
            return clock_now() - changed < TEMPORARY_AGE;
    return true;
}

static bool check_temporary(struct store *store, struct view *view, struct strlist *retired, struct error *err)
{
    _cleanup_strlist_ struct strlist names = {0};
    if (!read_names(store, store->temporary, "", &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        struct stat status;
        if (strlist_contains(retired, names.items[i]) ||
            fstatat(store->temporary, names.items[i], &status, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (may_be_in_use(store, names.items[i], &status))
            continue;
        struct finding *finding =
            finding_add(&view->check->findings, "temporary", names.items[i], size_of(store->temporary, names.items[i]),
                        "remove it", true, "something half-made was left behind");
        struct error why = ERROR_INIT;
        if (view->check->repairs)
            finding_settle(finding, retire(store, store->temporary, names.items[i], retired, &why), &why);
    }
    return true;
}

static bool check_unused(struct store *store, struct view *view, struct strlist *retired, struct error *err)
{
    check_unowned(store, view, store->layers, "layer", &view->folders, strlen("sha256:"), retired);
    check_unowned(store, view, store->content, "blob", &view->blobs, strlen("sha256:"), retired);
    return check_temporary(store, view, retired, err);
}

/* --- rows that keep layers --- */

static bool forget_container(struct store *store, const char *id, struct error *err)
{
    _cleanup_free_ char *remains = NULL;
    return container_layer_discard(store, id, &remains, err) && container_layer_remove_remains(store, remains, err);
}

/* A container that is gone keeps its layers from being collected. */
static bool check_keepers(struct store *store, struct store_check *check, struct error *err)
{
    static const char sql[] = "SELECT DISTINCT container_id FROM container_layers";
    _cleanup_strlist_ struct strlist ids = {0};
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    bool is_read = read_column(store, sql, &ids, err);
    if (!database_end(store->database, true, is_read ? err : NULL) || !is_read)
        return false;
    for (size_t i = 0; i < ids.count; i++) {
        if (check->is_container(check->context, ids.items[i]))
            continue;
        struct error why = ERROR_INIT;
        struct finding *finding = finding_add(&check->findings, "container", ids.items[i], 0, "forget it", true,
                                              "it is gone, and still keeps the layers of its image");
        if (check->repairs)
            finding_settle(finding, forget_container(store, ids.items[i], &why), &why);
    }
    return true;
}

/* Rows of layers that no image and no container has: a collection that failed. */
static bool check_uncollected(struct store *store, struct store_check *check, struct error *err)
{
    static const char sql[] = SQL_UNUSED_LAYERS;
    _cleanup_strlist_ struct strlist unused = {0};
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    bool is_read = read_column(store, sql, &unused, err);
    if (!database_end(store->database, true, is_read ? err : NULL) || !is_read)
        return false;
    size_t first = check->findings.count;
    for (size_t i = 0; i < unused.count; i++) {
        const char *hex = digest_hex(unused.items[i]);
        finding_add(&check->findings, "layer", unused.items[i], hex ? tree_size(store->layers, hex) : 0, "remove it",
                    true, "neither an image nor a container has it");
    }
    if (!unused.count || !check->repairs)
        return true;
    struct error why = ERROR_INIT;
    bool is_done = layer_collect(store, &why);
    for (size_t i = 0; i < unused.count; i++) {
        struct finding *finding = RECORD_AT(check->findings, struct finding, first + i);
        finding->is_repaired = is_done;
        if (!is_done)
            string_replace(&finding->failure, error_message(&why));
    }
    error_release(&why);
    return true;
}

/* --- the whole --- */

/* The database first: what it names has its files already. */
static bool read_all(struct store *store, struct view *view, struct error *err)
{
    return read_database(store, view, err) && read_names(store, store->layers, "sha256:", &view->folders, err) &&
           read_names(store, store->content, "sha256:", &view->blobs, err);
}

static bool check_quiet(struct store *store, struct view *view, struct strlist *retired, struct error *err)
{
    pthread_mutex_lock(&store->hold_lock);
    bool is_quiet = store->holds == 0;
    view->check->is_partial = !is_quiet;
    bool is_good = read_all(store, view, err) && (!is_quiet || check_unused(store, view, retired, err));
    pthread_mutex_unlock(&store->hold_lock);
    return is_good;
}

bool store_check(struct store *store, struct store_check *check, struct error *err)
{
    struct view view = {.check = check};
    _cleanup_strlist_ struct strlist retired = {0};
    bool is_good = check_keepers(store, check, err);
    bool is_collectable = is_good;
    pthread_mutex_lock(&store->hold_lock);
    is_collectable = is_collectable && store->holds == 0;
    pthread_mutex_unlock(&store->hold_lock);
    is_good = is_good && (!is_collectable || check_uncollected(store, check, err)) &&
              check_quiet(store, &view, &retired, err);
    for (size_t i = 0; i < retired.count; i++)
        is_good = tree_remove(store->temporary, retired.items[i], err) && is_good;
    /* What comes in from here on is left alone by the rest, which looks at what was there. */
    store_hold(store);
    is_good = is_good && check_present(store, &view, err);
    store_release(store);
    view_release(&view);
    return is_good;
}
