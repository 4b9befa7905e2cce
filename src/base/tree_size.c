#include "base/tree_size.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"

#define DEPTH_LIMIT 512

/* The files with several names that were met: an open hash table of inode numbers (0: free). */
struct seen {
    uint64_t *slots;
    size_t capacity, count;
};

static uint64_t mix(uint64_t value)
{
    return (value ^ value >> 31) * UINT64_C(0x9e3779b97f4a7c15);
}

static void put(struct seen *seen, uint64_t key)
{
    size_t at = mix(key) & (seen->capacity - 1);
    while (seen->slots[at])
        at = (at + 1) & (seen->capacity - 1);
    seen->slots[at] = key;
    seen->count++;
}

/* True the first time. */
static bool add(struct seen *seen, uint64_t key)
{
    for (size_t at = mix(key); seen->capacity; at++) {
        uint64_t there = seen->slots[at & (seen->capacity - 1)];
        if (there == key)
            return false;
        if (!there)
            break;
    }
    if (seen->count * 2 >= seen->capacity) {
        struct seen larger = {.capacity = seen->capacity ? seen->capacity * 2 : 64};
        larger.slots = xcalloc(larger.capacity, sizeof(uint64_t));
        for (size_t i = 0; i < seen->capacity; i++)
            if (seen->slots[i])
                put(&larger, seen->slots[i]);
        free(seen->slots);
        *seen = larger;
    }
    put(seen, key);
    return true;
}

/* Takes the descriptor. */
static int64_t add_folder(int folder, int depth, struct seen *seen)
{
    DIR *stream = fdopendir(folder);
    if (!stream) {
        close_fd(folder);
        return 0;
    }
    int64_t total = 0;
    const struct dirent *entry;
    while ((entry = readdir(stream))) {
        struct stat info;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            fstatat(dirfd(stream), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (S_ISDIR(info.st_mode)) {
            int inner = depth >= DEPTH_LIMIT
                            ? -1
                            : openat(dirfd(stream), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (inner >= 0)
                total += add_folder(inner, depth + 1, seen);
        } else if (info.st_nlink == 1 || add(seen, (uint64_t)info.st_ino | (uint64_t)info.st_dev << 48)) {
            total += info.st_size;
        }
    }
    closedir(stream);
    return total;
}

int64_t tree_size(int directory, const char *path)
{
    struct seen seen = {0};
    int folder = openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int64_t total = folder < 0 ? 0 : add_folder(folder, 0, &seen);
    free(seen.slots);
    return total;
}
