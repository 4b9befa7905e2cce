/* Tags, the catalog and referrers. */
#include <string.h>

#include "base/memory.h"
#include "distribution/call.h"
#include "distribution/upstream.h"
#include "oci/manifest.h"
#include "json/json_writer.h"

#define MAX_TAGS         10000
#define MAX_REPOSITORIES 1000
#define DEFAULT_CATALOG  100
#define MAX_REFERRERS    1000
#define REFERRERS_ENOUGH ((size_t)3 << 20) /* bytes: an index may have 4 MiB */

/* One more than a page was asked for: it tells whether there is another page. */
static void answer_list(struct call *call, const char *name, const char *key, struct strlist *list, int64_t n)
{
    if ((int64_t)list->count > n) {
        while ((int64_t)list->count > n)
            strlist_remove(list, list->count - 1);
        if (n > 0)
            call_link_next(call, list->items[n - 1], n);
    }
    _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
    struct json_writer writer = {.out = &body};
    json_writer_begin(&writer, NULL, '{');
    if (name)
        json_writer_text(&writer, "name", name);
    json_writer_begin(&writer, key, '[');
    for (size_t i = 0; i < list->count; i++)
        json_writer_text(&writer, NULL, list->items[i]);
    json_writer_end(&writer, ']');
    json_writer_end(&writer, '}');
    answer_json(call, 200, &body);
}

void serve_tags(struct call *call)
{
    _cleanup_strlist_ struct strlist tags = {0};
    _cleanup_error_ struct error err = ERROR_INIT;
    const char *last;
    int64_t n;
    if (!call_reads(call)) {
        answer_unsupported(call, "tags can only be listed");
        return;
    }
    if (call->distribution->upstream) {
        upstream_serve_tags(call);
        return;
    }
    if (!call_page(call, MAX_TAGS, &n, &last))
        return;
    if (ledger_tags(call->distribution->ledger, call->route.name, last, n + 1, &tags, &err))
        answer_list(call, call->route.name, "tags", &tags, n);
    else if (err.kind == ERROR_NOT_FOUND)
        answer_refusal(call, 404, "NAME_UNKNOWN", error_message(&err), NULL);
    else
        answer_error(call, &err);
}

void serve_catalog(struct call *call)
{
    _cleanup_strlist_ struct strlist names = {0};
    _cleanup_error_ struct error err = ERROR_INIT;
    const char *last;
    int64_t n;
    if (!call_reads(call)) {
        answer_unsupported(call, "repositories can only be listed");
        return;
    }
    if (!call_page(call, MAX_REPOSITORIES, &n, &last))
        return;
    if (!strmap_get(&call->query, "n"))
        n = DEFAULT_CATALOG;
    if (ledger_repositories(call->distribution->ledger, last, n + 1, &names, &err))
        answer_list(call, NULL, "repositories", &names, n);
    else
        answer_error(call, &err);
}

/* --- referrers --- */

struct referrer_page {
    struct json_writer writer;
    int64_t count, n;
    char *last; /* of the page; set where there is another */
    char *previous;
};

static bool add_referrer(void *context, const struct referrer *referrer)
{
    struct referrer_page *page = context;
    if (page->count >= page->n || page->writer.out->length > REFERRERS_ENOUGH) {
        page->last = TAKE_PTR(page->previous);
        return false;
    }
    page->count++;
    string_replace(&page->previous, referrer->digest);
    json_writer_begin(&page->writer, NULL, '{');
    json_writer_text(&page->writer, "mediaType", referrer->media_type);
    json_writer_text(&page->writer, "digest", referrer->digest);
    json_writer_int(&page->writer, "size", referrer->size);
    if (referrer->artifact_type)
        json_writer_text(&page->writer, "artifactType", referrer->artifact_type);
    if (referrer->annotations)
        json_writer_raw(&page->writer, "annotations", referrer->annotations);
    json_writer_end(&page->writer, '}');
    return true;
}

void serve_referrers(struct call *call)
{
    _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
    _cleanup_error_ struct error err = ERROR_INIT;
    struct referrer_page page = {.writer = {.out = &body}};
    const char *last, *type = strmap_get(&call->query, "artifactType");
    if (!call_reads(call)) {
        answer_unsupported(call, "referrers can only be listed");
        return;
    }
    if (!call_page(call, MAX_REFERRERS, &page.n, &last))
        return;
    json_writer_begin(&page.writer, NULL, '{');
    json_writer_int(&page.writer, "schemaVersion", 2);
    json_writer_text(&page.writer, "mediaType", MEDIA_TYPE_OCI_INDEX);
    json_writer_begin(&page.writer, "manifests", '[');
    bool is_done = ledger_referrers(call->distribution->ledger, call->route.name, call->route.last,
                                    string_is_set(type) ? type : NULL, last, add_referrer, &page, &err);
    json_writer_end(&page.writer, ']');
    json_writer_end(&page.writer, '}');
    if (is_done) {
        if (string_is_set(type))
            call_header(call, "OCI-Filters-Applied", "artifactType");
        if (page.last)
            call_link_next(call, page.last, page.n);
        answer(call, 200, MEDIA_TYPE_OCI_INDEX, strbuf_text(&body), body.length);
    } else {
        answer_error(call, &err);
    }
    free(page.last);
    free(page.previous);
}
