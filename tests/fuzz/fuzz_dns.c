/* DNS questions from containers: whatever comes, reading it and answering it stays within its buffers. As a libFuzzer
   target with -DWITH_LIBFUZZER; else a program that mutates seeds: fuzz_dns [ROUNDS [SEED]]. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mutate.h"
#include "network/dns_message.h"

static void read_question(const uint8_t *data, size_t length)
{
    struct dns_query query;
    /* Exactly as large as the message, so that a read beyond it is seen. */
    _cleanup_free_ uint8_t *exact = xmemdup(data, length ? length : 1);
    if (!dns_query_parse(exact, length, &query))
        return;
    assert(query.question_end <= length && strlen(query.name) < DNS_NAME_SIZE);
    size_t capacity = query.question_end + 40;
    _cleanup_free_ uint8_t *place = xcalloc(1, capacity);
    struct dns_answer answer = {.data = place, .capacity = capacity};
    struct ip_address address = {IP_V4, 0x01020304};
    dns_answer_begin(&answer, exact, &query, DNS_NO_ERROR);
    while (dns_answer_add_address(&answer, address)) {
    }
    dns_answer_add_name(&answer, query.name);
    dns_answer_set_truncated(&answer);
    assert(answer.length <= capacity);
    (void)dns_reverse_parse(query.name, &address);
}

#ifdef WITH_LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    read_question(data, length);
    return 0;
}
#else
int main(int argc, char **argv)
{
    static const struct {
        const char *data;
        size_t length;
    } seeds[] = {
#define SEED(text)                                                                                                     \
    {                                                                                                                  \
        (text), sizeof(text) - 1                                                                                       \
    }
        SEED("\x12\x34\1\0\0\1\0\0\0\0\0\0\3web\0\0\1\0\1"),
        SEED("\x12\x34\1\0\0\1\0\0\0\0\0\1\3web\2n1\0\0\x1c\0\1\0\0\x29\x10\0\0\0\0\0\0\0"),
        SEED("\x12\x34\1\0\0\1\0\0\0\0\0\0\1\x34\1\x33\1\x32\1\x31\7in-addr\4arpa\0\0\x0c\0\1"),
    };
    static const char *const words[] = {"\xc0\x0c", "\x3f", "\xff\xff", "\1a", "\7in-addr", "\x40", "."};
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
    random_state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    for (unsigned long round = 0; round < rounds; round++) {
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        size_t seed = draw(ARRAY_SIZE(seeds));
        strbuf_add(&text, seeds[seed].data, seeds[seed].length);
        mutate(&text, words, ARRAY_SIZE(words));
        read_question((const uint8_t *)strbuf_text(&text), draw(8) ? text.length : draw(text.length + 1));
    }
    return 0;
}
#endif
