/* DNS messages (RFC 1035), as far as a server for names and addresses needs them. What comes from a container is read
   here and nowhere else; no I/O. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "network/ip.h"

#define DNS_HEADER_SIZE 12
#define DNS_NAME_SIZE   256 /* dotted, with its NUL */
#define DNS_UDP_SIZE    512 /* of an answer to who did not say that it can take more */

enum dns_type { DNS_A = 1, DNS_PTR = 12, DNS_AAAA = 28 };
enum dns_code { DNS_NO_ERROR = 0, DNS_FORMAT_ERROR = 1, DNS_SERVER_FAILURE = 2, DNS_NAME_ERROR = 3 };

struct dns_query {
    uint16_t id;
    uint16_t type, class_number;
    char name[DNS_NAME_SIZE]; /* in lower case, without the last dot */
    size_t question_end;      /* header and question are the bytes before it */
    size_t largest_answer;    /* over UDP: 512, or what EDNS says */
};
/* False for what is no query with one question. */
bool dns_query_parse(const uint8_t *data, size_t length, struct dns_query *out);

/* An answer to a query that was parsed. dns_answer_begin needs question_end bytes, every record up to 28 or, for a
   name, up to 12 + DNS_NAME_SIZE. The additions return false, and change nothing, where `capacity` is not enough. */
struct dns_answer {
    uint8_t *data;
    size_t length, capacity;
};
void dns_answer_begin(struct dns_answer *answer, const uint8_t *query, const struct dns_query *parsed,
                      enum dns_code code);
bool dns_answer_add_address(struct dns_answer *answer, struct ip_address address); /* A or AAAA */
bool dns_answer_add_name(struct dns_answer *answer, const char *name);
/* Not everything found its place. */
void dns_answer_set_truncated(struct dns_answer *answer);

/* "4.3.2.1.in-addr.arpa" is 1.2.3.4; 32 digits and ".ip6.arpa" are an IPv6 address. */
bool dns_reverse_parse(const char *name, struct ip_address *address);
