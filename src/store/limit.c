#include "store/limit.h"

#include <sqlite3.h>

#include "base/memory.h"
#include "store/internal.h"

void store_set_limit(struct store *store, const struct store_limit *limit)
{
    store->limit = *limit;
}

static bool read_sum(struct store *store, const char *sql, int64_t *out, struct error *err)
{
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    sqlite3_stmt *statement = database_statement(store->database, sql, err);
    bool is_read = statement && database_step(store->database, statement, err) == 1;
    if (is_read) {
        *out = sqlite3_column_int64(statement, 0);
        sqlite3_reset(statement);
    }
    return database_end(store->database, is_read, is_read ? err : NULL) && is_read;
}

static bool read_images(struct store *store, int64_t *out, struct error *err)
{
    return read_sum(store, "SELECT coalesce(sum(size + blob_size), 0) FROM layers", out, err);
}

int64_t store_cache_size(struct store *store)
{
    int64_t size = 0;
    return read_sum(store,
                    "SELECT coalesce(sum(size + blob_size), 0) FROM layers "
                    "WHERE diff_id IN (SELECT diff_id FROM build_cache WHERE diff_id IS NOT NULL) "
                    "AND diff_id NOT IN (SELECT diff_id FROM image_layers) "
                    "AND diff_id NOT IN (SELECT diff_id FROM container_layers)",
                    &size, NULL)
               ? size
               : 0;
}

static int64_t others_of(const struct store *store)
{
    return store->limit.others ? store->limit.others(store->limit.context) : 0;
}

bool store_usage(struct store *store, struct store_usage *out, struct error *err)
{
    *out = (struct store_usage){.maximum = store->limit.maximum};
    if (!read_images(store, &out->images, err))
        return false;
    out->images += atomic_load(&store->incoming);
    out->containers = others_of(store);
    return true;
}

/* "1.5GB": three digits, as docker shows sizes. The caller frees. */
static char *size_text(int64_t bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 999.5 && unit + 1 < ARRAY_SIZE(units); unit++)
        value /= 1000;
    return xasprintf("%.*f%s", value < 9.995 && unit ? 2 : value < 99.95 && unit ? 1 : 0, value, units[unit]);
}

static bool refuse(struct store *store, int64_t present, int64_t more, struct error *err)
{
    _cleanup_free_ char *maximum = size_text(store->limit.maximum), *now = size_text(present),
                        *wanted = size_text(more);
    _cleanup_free_ char *advice = store->limit.advise ? store->limit.advise(store->limit.context) : xstrdup("");
    return error_set(err, ERROR_CONFLICT,
                     "storage limit (--storage-max %s): images and containers take %s, and at least %s more would pass "
                     "it%s",
                     maximum, now, wanted, advice);
}

static bool has_room(struct store *store, int64_t more)
{
    return atomic_load(&store->settled) + atomic_load(&store->incoming) + more <= store->limit.maximum;
}

bool limit_begin(struct store *store, struct error *err)
{
    int64_t images;
    if (!store->limit.maximum)
        return true;
    if (!read_images(store, &images, err))
        return false;
    atomic_store(&store->settled, images + others_of(store));
    return true;
}

bool store_check_room(struct store *store, int64_t bytes, struct error *err)
{
    if (!store->limit.maximum)
        return true;
    if (!limit_begin(store, err))
        return false;
    return has_room(store, bytes) ||
           refuse(store, atomic_load(&store->settled) + atomic_load(&store->incoming), bytes, err);
}

bool limit_take(struct store *store, int64_t bytes, int64_t *taken, struct error *err)
{
    if (!store->limit.maximum)
        return true;
    if (!has_room(store, bytes))
        return refuse(store, atomic_load(&store->settled) + atomic_load(&store->incoming), bytes, err);
    atomic_fetch_add(&store->incoming, bytes);
    *taken += bytes;
    return true;
}

void limit_end(struct store *store, int64_t taken)
{
    if (!taken)
        return;
    /* In this order: for a moment it may count twice, and never not at all. */
    limit_begin(store, NULL);
    atomic_fetch_sub(&store->incoming, taken);
}
