#include "network/dns_message.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define FLAG_RESPONSE            0x8000
#define FLAG_TRUNCATED           0x0200
#define FLAG_RECURSION_DESIRED   0x0100
#define FLAG_RECURSION_AVAILABLE 0x0080
#define OPCODE_MASK              0x7800
#define CLASS_INTERNET           1
#define TYPE_OPT                 41
#define TTL_SECONDS              600 /* Docker's */
#define LABEL_MAXIMUM            63

static uint16_t read16(const uint8_t *data)
{
    return (uint16_t)(data[0] << 8 | data[1]);
}

static void write16(uint8_t *data, uint16_t value)
{
    data[0] = (uint8_t)(value >> 8);
    data[1] = (uint8_t)value;
}

/* A name without compression, as queries have it. Returns the offset behind it, 0 where it is malformed. */
static size_t read_name(const uint8_t *data, size_t length, size_t offset, char *out)
{
    size_t written = 0;
    while (offset < length && data[offset]) {
        size_t label = data[offset++];
        if (label > LABEL_MAXIMUM || label > length - offset || written + label + 2 > DNS_NAME_SIZE)
            return 0;
        if (written)
            out[written++] = '.';
        for (size_t i = 0; i < label; i++) {
            uint8_t character = data[offset + i];
            /* A dot or a NUL within a label would make it look like another name. */
            if (character == '.' || character == '\0')
                return 0;
            out[written++] = (char)tolower(character);
        }
        offset += label;
    }
    out[written] = '\0';
    return offset < length ? offset + 1 : 0;
}

/* The size that an OPT record behind the question tells (RFC 6891). */
static size_t read_size(const uint8_t *data, size_t length, size_t offset)
{
    if (read16(data + 10) == 0 || read16(data + 6) || read16(data + 8) || length - offset < 11 || data[offset] != 0 ||
        read16(data + offset + 1) != TYPE_OPT)
        return DNS_UDP_SIZE;
    size_t size = read16(data + offset + 3);
    return size < DNS_UDP_SIZE ? DNS_UDP_SIZE : size > 4096 ? 4096 : size;
}

bool dns_query_parse(const uint8_t *data, size_t length, struct dns_query *out)
{
    struct dns_query query = {0};
    if (length < DNS_HEADER_SIZE || (read16(data + 2) & (FLAG_RESPONSE | OPCODE_MASK)) || read16(data + 4) != 1)
        return false;
    size_t offset = read_name(data, length, DNS_HEADER_SIZE, query.name);
    if (!offset || length - offset < 4)
        return false;
    query.id = read16(data);
    query.type = read16(data + offset);
    query.class_number = read16(data + offset + 2);
    query.question_end = offset + 4;
    query.largest_answer = read_size(data, length, query.question_end);
    *out = query;
    return true;
}

void dns_answer_begin(struct dns_answer *answer, const uint8_t *query, const struct dns_query *parsed,
                      enum dns_code code)
{
    uint16_t flags = read16(query + 2) & FLAG_RECURSION_DESIRED;
    memcpy(answer->data, query, parsed->question_end);
    write16(answer->data + 2, (uint16_t)(flags | FLAG_RESPONSE | FLAG_RECURSION_AVAILABLE | code));
    memset(answer->data + 6, 0, 6);
    answer->length = parsed->question_end;
}

/* The record's name is the question's: a pointer to behind the header. */
static uint8_t *begin_record(struct dns_answer *answer, uint16_t type, size_t data_length)
{
    if (answer->capacity - answer->length < 12 + data_length)
        return NULL;
    uint8_t *record = answer->data + answer->length;
    write16(record, 0xc000 | DNS_HEADER_SIZE);
    write16(record + 2, type);
    write16(record + 4, CLASS_INTERNET);
    write16(record + 6, 0);
    write16(record + 8, TTL_SECONDS);
    write16(record + 10, (uint16_t)data_length);
    write16(answer->data + 6, (uint16_t)(read16(answer->data + 6) + 1));
    answer->length += 12 + data_length;
    return record + 12;
}

bool dns_answer_add_address(struct dns_answer *answer, struct ip_address address)
{
    unsigned char bytes[16];
    size_t length = ip_bytes(address, bytes);
    uint8_t *data = begin_record(answer, address.family == IP_V4 ? DNS_A : DNS_AAAA, length);
    if (data)
        memcpy(data, bytes, length);
    return data;
}

bool dns_answer_add_name(struct dns_answer *answer, const char *name)
{
    uint8_t encoded[DNS_NAME_SIZE + 2];
    size_t length = 0;
    while (*name) {
        size_t label = strcspn(name, ".");
        if (!label || label > LABEL_MAXIMUM || length + label + 2 > DNS_NAME_SIZE)
            return false;
        encoded[length++] = (uint8_t)label;
        memcpy(encoded + length, name, label);
        length += label;
        name += label + (name[label] == '.');
    }
    encoded[length++] = 0;
    uint8_t *data = begin_record(answer, DNS_PTR, length);
    if (data)
        memcpy(data, encoded, length);
    return data;
}

void dns_answer_set_truncated(struct dns_answer *answer)
{
    write16(answer->data + 2, read16(answer->data + 2) | FLAG_TRUNCATED);
}

static bool parse_reverse6(const char *name, struct ip_address *address)
{
    static const char end[] = ".ip6.arpa";
    struct ip_address parsed = {.family = IP_V6};
    if (strlen(name) != 63 + strlen(end) || strcmp(name + 63, end) != 0)
        return false;
    for (int i = 31; i >= 0; i--) {
        const char *digit = name + (size_t)2 * (size_t)i;
        if (!isxdigit((unsigned char)*digit) || digit[1] != '.')
            return false;
        unsigned value = (unsigned)(isdigit((unsigned char)*digit) ? *digit - '0' : tolower(*digit) - 'a' + 10);
        parsed.value = parsed.value << 4 | value;
    }
    *address = parsed;
    return true;
}

bool dns_reverse_parse(const char *name, struct ip_address *address)
{
    unsigned parts[4];
    int end = 0;
    if (parse_reverse6(name, address))
        return true;
    if (sscanf(name, "%3u.%3u.%3u.%3u.in-addr.arpa%n", &parts[3], &parts[2], &parts[1], &parts[0], &end) != 4 || !end ||
        name[end])
        return false;
    for (int i = 0; i < 4; i++)
        if (parts[i] > 255)
            return false;
    *address = (struct ip_address){IP_V4, parts[0] << 24 | parts[1] << 16 | parts[2] << 8 | parts[3]};
    return true;
}
