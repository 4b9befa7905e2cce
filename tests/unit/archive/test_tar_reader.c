#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "archive/tar_reader.h"
#include "base/memory.h"
#include "raw_tar.h"

struct source {
    const char *data;
    size_t length, at, chunk; /* bytes a read at most */
};

static ssize_t read_source(void *context, void *data, size_t length)
{
    struct source *source = context;
    size_t left = source->length - source->at, room = MIN(length, source->chunk), n = MIN(room, left);
    memcpy(data, source->data + source->at, n);
    source->at += n;
    return (ssize_t)n;
}

/* "name type size uid.gid [link] content" of every member, and then the error. */
static char *read_all(const struct strbuf *tar, size_t chunk)
{
    struct source source = {tar->data, tar->length, 0, chunk};
    struct tar_reader reader = {.read = read_source, .context = &source};
    _cleanup_tar_member_ struct tar_member member = {0};
    struct strbuf out = STRBUF_INIT;
    _cleanup_error_ struct error err = ERROR_INIT;
    bool is_there = false;
    while (tar_reader_next(&reader, &member, &is_there, &err) && is_there) {
        strbuf_addf(&out, "%s %c %lld %lld.%lld %lld.%09lld", member.name, (char)member.type, (long long)member.size,
                    (long long)member.uid, (long long)member.gid, (long long)member.seconds,
                    (long long)member.nanoseconds);
        if (*member.link)
            strbuf_addf(&out, " -> %s", member.link);
        for (size_t i = 0; i < member.attribute_count; i++)
            strbuf_addf(&out, " {%s=%.*s}", member.attributes[i].name, (int)member.attributes[i].length,
                        (char *)member.attributes[i].value);
        strbuf_add_string(&out, " [");
        char piece[7];
        ssize_t n;
        while ((n = tar_reader_data(&reader, piece, sizeof(piece), &err)) > 0)
            for (ssize_t i = 0; i < n; i++)
                strbuf_add_char(&out, piece[i] ? piece[i] : '.');
        strbuf_add_string(&out, "]\n");
        if (n < 0)
            break;
    }
    strbuf_addf(&out, "%s", error_message(&err));
    return strbuf_take(&out);
}

/* Reads it whole and in small pieces. */
static void check(const struct strbuf *tar, const char *wanted)
{
    static const size_t chunks[] = {1 << 20, 512, 100, 1};
    for (size_t i = 0; i < ARRAY_SIZE(chunks); i++) {
        _cleanup_free_ char *got = read_all(tar, chunks[i]);
        assert_string_equal(got, wanted);
    }
}

static void test_plain(void **state)
{
    _cleanup_strbuf_ struct strbuf tar = STRBUF_INIT;
    raw_member(&tar, "one", '0', "content", 7);
    raw_member(&tar, "two/", '5', "", 0);
    raw_member(&tar, "old", '\0', "x", 1);
    raw_member(&tar, "old/", '\0', "", 0);
    raw_end(&tar);
    strbuf_add_string(&tar, "what comes behind it");
    check(&tar, "one 0 7 1.2 1000000000.000000000 [content]\ntwo/ 5 0 1.2 1000000000.000000000 []\n"
                "old 0 1 1.2 1000000000.000000000 [x]\nold/ 5 0 1.2 1000000000.000000000 []\n");
    strbuf_truncate(&tar, 0);
    check(&tar, "");
}

static void test_long_names(void **state)
{
    char name[151], link[121];
    memset(name, 'n', sizeof(name) - 1), name[sizeof(name) - 1] = '\0';
    memset(link, 'l', sizeof(link) - 1), link[sizeof(link) - 1] = '\0';
    _cleanup_strbuf_ struct strbuf tar = STRBUF_INIT;
    raw_member(&tar, "././@LongLink", 'L', name, sizeof(name));
    raw_member(&tar, "././@LongLink", 'K', link, sizeof(link));
    raw_member(&tar, "short", '2', "", 0);
    raw_member(&tar, "next", '0', "", 0);
    size_t before = tar.length;
    raw_member(&tar, "name", '0', "", 0);
    memcpy(tar.data + before + 345, "pre/fix", 7);
    raw_sum(tar.data + before);
    raw_end(&tar);
    _cleanup_free_ char *wanted =
        xasprintf("%s 2 0 1.2 1000000000.000000000 -> %s []\nnext 0 0 1.2 1000000000.000000000 []\n"
                  "pre/fix/name 0 0 1.2 1000000000.000000000 []\n",
                  name, link);
    check(&tar, wanted);
    /* Longer than anyone needs. */
    strbuf_truncate(&tar, 0);
    raw_member(&tar, "././@LongLink", 'L', "", 0);
    snprintf(tar.data + 124, 12, "%011o", (1u << 20) + 1);
    raw_sum(tar.data);
    check(&tar, "archive/tar: invalid tar header");
}

static void test_pax(void **state)
{
    _cleanup_strbuf_ struct strbuf tar = STRBUF_INIT, records = STRBUF_INIT;
    raw_record(&records, "path", "a name with = and \xc3\xa9");
    raw_record(&records, "linkpath", "where it leads");
    raw_record(&records, "uid", "3000000000");
    raw_record(&records, "gid", "4");
    raw_record(&records, "mtime", "1234.5");
    raw_record(&records, "SCHILY.xattr.user.x", "value");
    raw_record(&records, "comment", "ignored");
    raw_pax(&tar, &records);
    raw_member(&tar, "plain", '2', "", 0);
    raw_record(&records, "mtime", "-1.25");
    raw_pax(&tar, &records);
    raw_member(&tar, "before 1970", '0', "", 0);
    raw_record(&records, "path", "of all");
    raw_member(&tar, "global", 'g', strbuf_text(&records), records.length);
    strbuf_truncate(&records, 0);
    raw_record(&records, "size", "3");
    raw_pax(&tar, &records);
    raw_member(&tar, "sized", '0', "abc", 3);
    raw_end(&tar);
    check(&tar, "a name with = and \xc3\xa9 2 0 3000000000.4 1234.500000000 -> where it leads {user.x=value} []\n"
                "before 1970 0 0 1.2 -2.750000000 []\nsized 0 3 1.2 1000000000.000000000 [abc]\n");

    static const char *const broken[] = {"x path=a\n", "7 path=a\n",  "9 path=a\n",   "9 path=ab",    "99 path=a\n",
                                         "6 =aa\n",    "-9 path=a\n", "11 uid=1x3\n", "11 mtime=x\n", "11 size=-1\n"};
    for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
        strbuf_truncate(&tar, 0);
        raw_member(&tar, "pax", 'x', broken[i], strlen(broken[i]));
        raw_member(&tar, "member", '0', "", 0);
        raw_end(&tar);
        check(&tar, strcmp(broken[i], "9 path=a\n") == 0 ? "a 0 0 1.2 1000000000.000000000 []\n"
                                                         : "archive/tar: invalid tar header");
    }
}

static void test_broken(void **state)
{
    _cleanup_strbuf_ struct strbuf tar = STRBUF_INIT;
    raw_member(&tar, "one", '0', "content", 7);
    tar.data[0] = 'O';
    check(&tar, "archive/tar: invalid tar header");
    tar.data[0] = 'o';
    memcpy(tar.data + 124, "0000000000x", 11); /* a size */
    raw_sum(tar.data);
    check(&tar, "archive/tar: invalid tar header");
    memcpy(tar.data + 124, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12); /* -1 in base 256 */
    raw_sum(tar.data);
    check(&tar, "archive/tar: invalid tar header");
    memcpy(tar.data + 124, "\x80\0\0\0\0\0\0\0\0\0\0\7", 12);
    raw_sum(tar.data);
    check(&tar, "one 0 7 1.2 1000000000.000000000 [content]\n");
    tar.length = 514;
    check(&tar, "one 0 7 1.2 1000000000.000000000 [co]\nunexpected EOF");
    tar.length = 511;
    check(&tar, "unexpected EOF");
    memset(tar.data, 'x', 511);
    check(&tar, "unexpected EOF");
    /* Content that nobody reads is skipped, and missed as well. */
    strbuf_truncate(&tar, 0);
    raw_member(&tar, "dir", '5', "", 0);
    raw_member(&tar, "cut", '0', "0123456789", 10);
    tar.length -= 505;
    struct source source = {tar.data, tar.length, 0, 4096};
    struct tar_reader reader = {.read = read_source, .context = &source};
    _cleanup_tar_member_ struct tar_member member = {0};
    _cleanup_error_ struct error err = ERROR_INIT;
    bool is_there;
    assert_true(tar_reader_next(&reader, &member, &is_there, &err) && is_there);
    assert_true(tar_reader_next(&reader, &member, &is_there, &err) && is_there);
    assert_false(tar_reader_next(&reader, &member, &is_there, &err));
    assert_string_equal(error_message(&err), "unexpected EOF");
}

/* The same file in the three forms: "ab" at 5, "cde" at 10, 15 bytes in all. */
static void test_holes(void **state)
{
    static const char wanted[] =
        "real 0 15 1.2 1000000000.000000000 [.....ab...cde..]\nnext 0 1 1.2 1000000000.000000000 [n]\n";
    _cleanup_strbuf_ struct strbuf tar = STRBUF_INIT, records = STRBUF_INIT, content = STRBUF_INIT;
    for (int form = 0; form < 3; form++) {
        strbuf_truncate(&tar, 0);
        strbuf_truncate(&content, 0);
        raw_record(&records, "GNU.sparse.name", "real");
        raw_record(&records, form == 2 ? "GNU.sparse.realsize" : "GNU.sparse.size", "15");
        if (form == 0) {
            raw_record(&records, "GNU.sparse.numblocks", "2");
            raw_record(&records, "GNU.sparse.offset", "5");
            raw_record(&records, "GNU.sparse.numbytes", "2");
            raw_record(&records, "GNU.sparse.offset", "10");
            raw_record(&records, "GNU.sparse.numbytes", "3");
        } else if (form == 1) {
            raw_record(&records, "GNU.sparse.map", "5,2,10,3");
        } else {
            raw_record(&records, "GNU.sparse.major", "1");
            raw_record(&records, "GNU.sparse.minor", "0");
            strbuf_add_string(&content, "2\n5\n2\n10\n3\n");
            raw_pad(&content);
        }
        raw_pax(&tar, &records);
        strbuf_add_string(&content, "abcde");
        raw_member(&tar, "GNUSparseFile.1/real", '0', strbuf_text(&content), content.length);
        raw_member(&tar, "next", '0', "n", 1);
        raw_end(&tar);
        check(&tar, wanted);
    }
    /* Only a hole; and a map longer than a block. */
    strbuf_truncate(&tar, 0);
    raw_record(&records, "GNU.sparse.realsize", "9");
    raw_record(&records, "GNU.sparse.major", "1");
    raw_record(&records, "GNU.sparse.minor", "0");
    raw_pax(&tar, &records);
    strbuf_truncate(&content, 0);
    strbuf_add_string(&content, "1\n9\n0\n");
    raw_pad(&content);
    raw_member(&tar, "hole", '0', content.data, content.length);
    strbuf_truncate(&content, 0);
    strbuf_add_string(&content, "200\n");
    for (int i = 0; i < 200; i++)
        strbuf_addf(&content, "%d\n1\n", 2 * i);
    raw_pad(&content);
    for (int i = 0; i < 200; i++)
        strbuf_add_char(&content, 'x');
    raw_record(&records, "GNU.sparse.realsize", "400");
    raw_record(&records, "GNU.sparse.major", "1");
    raw_record(&records, "GNU.sparse.minor", "0");
    raw_pax(&tar, &records);
    raw_member(&tar, "comb", '0', content.data, content.length);
    raw_end(&tar);
    _cleanup_strbuf_ struct strbuf long_wanted = STRBUF_INIT;
    strbuf_add_string(&long_wanted,
                      "hole 0 9 1.2 1000000000.000000000 [.........]\ncomb 0 400 1.2 1000000000.000000000 [");
    for (int i = 0; i < 200; i++)
        strbuf_add_string(&long_wanted, "x.");
    strbuf_add_string(&long_wanted, "]\n");
    check(&tar, strbuf_text(&long_wanted));
}

static void test_broken_holes(void **state)
{
    static const struct {
        const char *key, *value, *content;
    } broken[] = {
        {"GNU.sparse.map", "5,2,6,1", "abc"}, /* overlap */
        {"GNU.sparse.map", "5,2,3,1", "abc"}, /* order */
        {"GNU.sparse.map", "14,2", "ab"},     /* beyond the end */
        {"GNU.sparse.map", "5,2", "abc"},     /* content that has no place */
        {"GNU.sparse.map", "5,4", "abc"},     /* a place that has no content */
        {"GNU.sparse.map", "5", "abc"},
        {"GNU.sparse.map", "5,-3", "abc"},
        {"GNU.sparse.map", "a,b", "abc"},
        {"GNU.sparse.map", "9223372036854775807,3", "abc"},
        {"GNU.sparse.map", "5,99999999999999999999", "abc"},
        {"GNU.sparse.numbytes", "3", "abc"},
        {"GNU.sparse.offset", "3,4", "abc"},
        {"GNU.sparse.major", "1", "no map at all"},
    };
    _cleanup_strbuf_ struct strbuf tar = STRBUF_INIT, records = STRBUF_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
        strbuf_truncate(&tar, 0);
        raw_record(&records, "GNU.sparse.size", "15");
        raw_record(&records, broken[i].key, broken[i].value);
        if (strcmp(broken[i].key, "GNU.sparse.major") == 0)
            raw_record(&records, "GNU.sparse.minor", "0");
        raw_pax(&tar, &records);
        raw_member(&tar, "file", '0', broken[i].content, strlen(broken[i].content));
        raw_end(&tar);
        check(&tar, "archive/tar: invalid tar header");
    }
    /* An unknown form is a plain file, as Go has it. */
    strbuf_truncate(&tar, 0);
    raw_record(&records, "GNU.sparse.major", "2");
    raw_record(&records, "GNU.sparse.minor", "0");
    raw_pax(&tar, &records);
    raw_member(&tar, "file", '0', "abc", 3);
    raw_end(&tar);
    check(&tar, "file 0 3 1.2 1000000000.000000000 [abc]\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),  cmocka_unit_test(test_long_names), cmocka_unit_test(test_pax),
        cmocka_unit_test(test_broken), cmocka_unit_test(test_holes),      cmocka_unit_test(test_broken_holes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
