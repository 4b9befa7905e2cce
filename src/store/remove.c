/* `rmi`: Docker's rules (daemon/images/image_delete.go), which untag where a name was given and delete where the last
   name goes. A soft conflict can be forced, a hard one cannot. */
#include <string.h>

#include "base/memory.h"
#include "store/image_internal.h"

enum conflict {
    CONFLICT_DEPENDENT_CHILD = 1 << 0,
    CONFLICT_RUNNING_CONTAINER = 1 << 1,
    CONFLICT_ACTIVE_REFERENCE = 1 << 2,
    CONFLICT_STOPPED_CONTAINER = 1 << 3,
};
#define CONFLICT_HARD (CONFLICT_DEPENDENT_CHILD | CONFLICT_RUNNING_CONTAINER)
#define CONFLICT_SOFT (CONFLICT_ACTIVE_REFERENCE | CONFLICT_STOPPED_CONTAINER)

/* The containers that use the image or one of its ancestors, asked for before the transaction: the engine has locks of
   its own, which are never taken while the database is held. */
struct image_user {
    char *image_id;
    char *container_id; /* NULL: no one */
    bool is_running;
};

struct removal {
    struct store *store;
    bool is_forced;
    bool keeps_parents;
    struct image_user *users;
    size_t user_count;
    struct image_removal *records;
    size_t count;
};

void image_removals_free(struct image_removal *removals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(removals[i].what);
        free(removals[i].image_id);
    }
    free(removals);
}

/* Takes ownership of `what`. */
static void record_add(struct removal *removal, bool is_deletion, char *what, const char *image_id)
{
    struct image_removal *record = APPEND(removal->records, removal->count);
    *record = (struct image_removal){.is_deletion = is_deletion, .what = what, .image_id = xstrdup(image_id)};
}

/* The container that uses the image, owned by the removal, or NULL. */
static const char *user_of(const struct removal *removal, const char *id, bool *is_running)
{
    for (size_t i = 0; i < removal->user_count; i++) {
        if (strcmp(removal->users[i].image_id, id) != 0)
            continue;
        *is_running = removal->users[i].is_running;
        return removal->users[i].container_id;
    }
    *is_running = false;
    return NULL;
}

static bool find_users(struct removal *removal, const char *text, image_user_function function, void *context,
                       struct error *err)
{
    if (!database_begin(removal->store->database, NOT_DURABLE, err))
        return false;
    _cleanup_free_ char *id = NULL;
    _cleanup_strlist_ struct strlist chain = {0};
    bool is_read = image_resolve(removal->store, text, &id, err) &&
                   image_query_texts(removal->store,
                                     "WITH RECURSIVE chain (id) AS (VALUES (?1) UNION SELECT parent FROM images"
                                     " JOIN chain USING (id) WHERE parent != '') SELECT id FROM chain",
                                     id, &chain, err);
    database_end(removal->store->database, false, NULL);
    for (size_t i = 0; is_read && function && i < chain.count; i++) {
        struct image_user *user = APPEND(removal->users, removal->user_count);
        user->image_id = xstrdup(chain.items[i]);
        user->container_id = function(context, chain.items[i], &user->is_running);
        if (!string_is_set(user->container_id))
            free(TAKE_PTR(user->container_id));
    }
    return is_read;
}

static void users_free(struct image_user *users, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(users[i].image_id);
        free(users[i].container_id);
    }
    free(users);
}

static bool untag(struct removal *removal, const char *full, const char *id, struct error *err)
{
    if (!image_remove_reference(removal->store, full, err))
        return false;
    record_add(removal, false, familiar_from_full(full), id);
    return true;
}

/* Up to '@' or the ':' of the tag. */
static char *name_of_full(const char *full)
{
    const char *end = strchr(full, '@');
    if (!end)
        end = strrchr(full, ':');
    return xstrndup(full, (size_t)(end - full));
}

static bool has_name(const char *full, const char *name)
{
    _cleanup_free_ char *own = name_of_full(full);
    return strcmp(own, name) == 0;
}

/* At most one tag, and all digests in that tag's repository. */
static bool is_single_reference(const struct strlist *references)
{
    if (references->count <= 1)
        return true;
    const char *single = NULL;
    for (size_t i = 0; i < references->count; i++) {
        if (strchr(references->items[i], '@'))
            continue;
        if (single)
            return false;
        single = references->items[i];
    }
    _cleanup_free_ char *name = name_of_full(single ? single : references->items[0]);
    for (size_t i = 0; i < references->count; i++)
        if (!has_name(references->items[i], name))
            return false;
    return true;
}

static bool is_id_prefix(const char *id, const char *text)
{
    return string_starts_with(id, text) || string_starts_with(id + strlen("sha256:"), text);
}

static bool conflict_set(struct error *err, const char *id, bool is_hard, const char *why)
{
    _cleanup_free_ char *short_text = short_id(id);
    return error_set(err, ERROR_CONFLICT, "conflict: unable to delete %s (%s be forced) - %s", short_text,
                     is_hard ? "cannot" : "must", why);
}

/* *is_used tells the caller whether a container was the reason. */
static bool check_conflicts(struct removal *removal, const char *id, unsigned mask, bool *is_used, struct error *err)
{
    *is_used = false;
    _cleanup_strlist_ struct strlist found = {0};
    if (!image_query_texts(removal->store, "SELECT id FROM images WHERE parent = ?1 LIMIT 1", id, &found, err))
        return false;
    if ((mask & CONFLICT_DEPENDENT_CHILD) && found.count > 0)
        return conflict_set(err, id, true, "image has dependent child images");

    bool is_running;
    const char *user = user_of(removal, id, &is_running);
    _cleanup_free_ char *short_user = user ? short_id(user) : NULL;
    if ((mask & CONFLICT_RUNNING_CONTAINER) && user && is_running) {
        _cleanup_free_ char *why = xasprintf("image is being used by running container %s", short_user);
        *is_used = true;
        return conflict_set(err, id, true, why);
    }
    _cleanup_strlist_ struct strlist references = {0};
    if (!image_references(removal->store, id, &references, err))
        return false;
    if ((mask & CONFLICT_ACTIVE_REFERENCE) && references.count > 0)
        return conflict_set(err, id, false, "image is referenced in multiple repositories");
    if ((mask & CONFLICT_STOPPED_CONTAINER) && user && !is_running) {
        _cleanup_free_ char *why = xasprintf("image is being used by stopped container %s", short_user);
        *is_used = true;
        return conflict_set(err, id, false, why);
    }
    return true;
}

/* OCI image-spec, "Layer ChainID". Caller frees. */
static char *chain_id(const struct strlist *diff_ids, size_t count)
{
    char *chain = xstrdup(diff_ids->items[0]);
    for (size_t i = 1; i < count; i++) {
        _cleanup_free_ char *previous = chain;
        _cleanup_free_ char *text = xasprintf("%s %s", previous, diff_ids->items[i]);
        chain = digest_text(text, strlen(text));
    }
    return chain;
}

static bool layer_size(struct store *store, const char *diff_id, int64_t *size, struct error *err)
{
    _cleanup_strlist_ struct strlist sizes = {0};
    if (!image_query_texts(store, "SELECT size FROM layers WHERE diff_id = ?1", diff_id, &sizes, err))
        return false;
    return sizes.count == 0 || parse_int64(sizes.items[0], size) ||
           error_set(err, ERROR_INTERNAL, "layer %s has no size", diff_id);
}

/* A line for every chain of layers that no other image begins with, the topmost first. The image itself is gone. */
static bool record_layers(struct removal *removal, const struct strlist *diff_ids, struct error *err)
{
    size_t kept = 0;
    _cleanup_strlist_ struct strlist others = {0};
    if (diff_ids->count > 0 &&
        !image_query_texts(removal->store, "SELECT image_id FROM image_layers WHERE position = 0 AND diff_id = ?1",
                           diff_ids->items[0], &others, err))
        return false;
    for (size_t i = 0; i < others.count; i++) {
        _cleanup_strlist_ struct strlist layers = {0};
        if (!image_query_texts(removal->store, "SELECT diff_id FROM image_layers WHERE image_id = ?1 ORDER BY position",
                               others.items[i], &layers, err))
            return false;
        size_t common = 0;
        while (common < layers.count && common < diff_ids->count &&
               strcmp(layers.items[common], diff_ids->items[common]) == 0)
            common++;
        kept = MAX(kept, common);
    }
    /* A container that was made from the image keeps the layers it stands on. */
    for (size_t count = diff_ids->count; count > kept; count--) {
        _cleanup_strlist_ struct strlist containers = {0};
        if (!image_query_texts(removal->store, "SELECT container_id FROM container_layers WHERE diff_id = ?1 LIMIT 1",
                               diff_ids->items[count - 1], &containers, err))
            return false;
        if (containers.count > 0)
            kept = count;
    }
    for (size_t count = diff_ids->count; count > kept; count--) {
        record_add(removal, true, chain_id(diff_ids, count), NULL);
        if (!layer_size(removal->store, diff_ids->items[count - 1], &removal->records[removal->count - 1].size, err))
            return false;
    }
    return true;
}

static bool delete_one(struct removal *removal, const char *id, char **parent, struct error *err)
{
    _cleanup_strlist_ struct strlist references = {0}, parents = {0}, layers = {0};
    if (!image_references(removal->store, id, &references, err) ||
        !image_query_texts(removal->store, "SELECT parent FROM images WHERE id = ?1", id, &parents, err) ||
        !image_query_texts(removal->store, "SELECT diff_id FROM image_layers WHERE image_id = ?1 ORDER BY position", id,
                           &layers, err))
        return false;
    for (size_t i = 0; i < references.count; i++)
        if (!untag(removal, references.items[i], id, err))
            return false;
    if (!image_execute(removal->store, "DELETE FROM images WHERE id = ?1", id, NULL, err))
        return false;
    record_add(removal, true, xstrdup(id), id);
    if (parents.count > 0 && *parents.items[0]) {
        /* The parent may be gone although the child still names it. */
        _cleanup_strlist_ struct strlist exists = {0};
        if (!image_query_texts(removal->store, "SELECT id FROM images WHERE id = ?1", parents.items[0], &exists, err))
            return false;
        if (exists.count > 0)
            *parent = xstrdup(parents.items[0]);
    }
    return record_layers(removal, &layers, err);
}

/* With `is_quiet` a conflict is no error: the image stays, unless it would be left without name and unused. */
static bool delete_with_parents(struct removal *removal, const char *id, bool is_forced, bool is_quiet,
                                struct error *err)
{
    _cleanup_free_ char *current = xstrdup(id);
    for (;;) {
        _cleanup_error_ struct error conflict = ERROR_INIT;
        bool is_used;
        unsigned mask = CONFLICT_HARD | (is_forced ? 0 : CONFLICT_SOFT);
        if (!check_conflicts(removal, current, mask, &is_used, &conflict)) {
            if (conflict.kind != ERROR_CONFLICT || !is_quiet)
                return error_move(err, &conflict);
            _cleanup_strlist_ struct strlist references = {0}, children = {0};
            if (!image_references(removal->store, current, &references, err) ||
                !image_query_texts(removal->store, "SELECT id FROM images WHERE parent = ?1 LIMIT 1", current,
                                   &children, err))
                return false;
            bool is_dangling = references.count == 0 && children.count == 0;
            return !is_dangling || is_used ? true : error_move(err, &conflict);
        }
        _cleanup_free_ char *parent = NULL;
        if (!delete_one(removal, current, &parent, err))
            return false;
        if (removal->keeps_parents || !parent)
            return true;
        free(current);
        current = TAKE_PTR(parent);
        is_forced = false;
        is_quiet = true;
    }
}

/* Removes the name that was given; *is_finished where other names are left. */
static bool untag_given(struct removal *removal, const char *text, const char *id, bool *is_finished, struct error *err)
{
    _cleanup_strlist_ struct strlist references = {0};
    if (!image_references(removal->store, id, &references, err))
        return false;
    if (!removal->is_forced && is_single_reference(&references)) {
        bool is_running;
        const char *user = user_of(removal, id, &is_running);
        if (user) {
            _cleanup_free_ char *short_user = short_id(user);
            _cleanup_free_ char *short_image = short_id(id);
            return error_set(err, ERROR_CONFLICT,
                             "conflict: unable to remove repository reference \"%s\" (must force) - container %s is "
                             "using its referenced image %s",
                             text, short_user, short_image);
        }
    }

    _cleanup_reference_ struct reference reference = {0};
    if (!reference_parse(text, &reference, err))
        return false;
    _cleanup_free_ char *name = reference_full_name(&reference);
    bool is_digest = reference.digest != NULL;
    _cleanup_free_ char *full =
        is_digest ? xasprintf("%s@%s", name, reference.digest) : xasprintf("%s:%s", name, reference.tag);
    if (!strlist_contains(&references, full))
        return error_set(err, ERROR_NOT_FOUND, "reference does not exist");
    if (!untag(removal, full, id, err))
        return false;

    size_t remaining = references.count - 1;
    bool has_other_tag = false;
    for (size_t i = 0; i < references.count; i++)
        if (strcmp(references.items[i], full) != 0 && !strchr(references.items[i], '@') &&
            has_name(references.items[i], name))
            has_other_tag = true;
    /* The last tag of a repository takes the repository's digests along. */
    for (size_t i = 0; !is_digest && !has_other_tag && i < references.count; i++) {
        if (!strchr(references.items[i], '@') || !has_name(references.items[i], name))
            continue;
        if (!untag(removal, references.items[i], id, err))
            return false;
        remaining--;
    }
    *is_finished = remaining > 0;
    return true;
}

static bool remove_in_transaction(struct removal *removal, const char *text, struct error *err)
{
    _cleanup_free_ char *id = NULL;
    if (!image_resolve(removal->store, text, &id, err))
        return false;
    if (!is_id_prefix(id, text)) {
        bool is_finished = false;
        if (!untag_given(removal, text, id, &is_finished, err))
            return false;
        return is_finished || delete_with_parents(removal, id, removal->is_forced, true, err);
    }

    _cleanup_strlist_ struct strlist references = {0};
    if (!image_references(removal->store, id, &references, err))
        return false;
    if (is_single_reference(&references)) {
        unsigned mask = CONFLICT_HARD | (removal->is_forced ? 0 : CONFLICT_STOPPED_CONTAINER);
        bool is_used;
        if (!check_conflicts(removal, id, mask, &is_used, err))
            return false;
        for (size_t i = 0; i < references.count; i++)
            if (!untag(removal, references.items[i], id, err))
                return false;
    }
    return delete_with_parents(removal, id, removal->is_forced, false, err);
}

bool image_remove(struct store *store, const char *reference, bool is_forced, bool keeps_parents,
                  image_user_function used_by, void *context, struct image_removal **removals, size_t *count,
                  struct error *err)
{
    struct removal removal = {.store = store, .is_forced = is_forced, .keeps_parents = keeps_parents};
    bool is_done =
        find_users(&removal, reference, used_by, context, err) && database_begin(store->database, DURABLE, err);
    if (is_done) {
        is_done = remove_in_transaction(&removal, reference, err);
        if (is_done)
            is_done = database_end(store->database, true, err);
        else
            database_end(store->database, false, NULL);
    }
    users_free(removal.users, removal.user_count);
    /* What is left of the layers on the disk goes now; the images are gone already, so a failure leaves only garbage
       for the next collection. */
    bool has_deletion = false;
    for (size_t i = 0; i < removal.count; i++)
        has_deletion = has_deletion || removal.records[i].is_deletion;
    if (is_done && has_deletion)
        layer_collect(store, NULL);
    if (!is_done) {
        image_removals_free(removal.records, removal.count);
        return false;
    }
    *removals = removal.records;
    *count = removal.count;
    return true;
}
