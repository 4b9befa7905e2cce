#include "cli/tar_header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned checksum(const struct tar_header *header)
{
    struct tar_header copy = *header;
    memset(copy.checksum, ' ', sizeof(copy.checksum));
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof(copy); i++)
        sum += ((const unsigned char *)&copy)[i];
    return sum;
}

void tar_header_fill(struct tar_header *header, const char *name, char type, unsigned mode, uint64_t size)
{
    *header = (struct tar_header){.type = type, .magic = "ustar", .version = {'0', '0'}};
    snprintf(header->name, sizeof(header->name), "%s", name);
    snprintf(header->mode, sizeof(header->mode), "%07o", mode);
    snprintf(header->uid, sizeof(header->uid), "%07o", 0U);
    snprintf(header->gid, sizeof(header->gid), "%07o", 0U);
    snprintf(header->size, sizeof(header->size), "%011llo", (unsigned long long)size);
    snprintf(header->mtime, sizeof(header->mtime), "%011o", 0U);
    snprintf(header->checksum, sizeof(header->checksum), "%06o", checksum(header));
    header->checksum[7] = ' ';
}

static bool read_octal(const char *field, size_t width, uint64_t *out)
{
    char text[16] = {0};
    memcpy(text, field, width);
    char *end = NULL;
    const char *start = text + strspn(text, " ");
    *out = strtoull(start, &end, 8);
    return end != start && (*end == '\0' || *end == ' ');
}

bool tar_header_read(const struct tar_header *header, uint64_t *size)
{
    uint64_t sum = 0;
    return read_octal(header->checksum, sizeof(header->checksum), &sum) && sum == checksum(header) &&
           read_octal(header->size, sizeof(header->size), size);
}
