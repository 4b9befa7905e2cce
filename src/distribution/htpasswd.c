#include "distribution/htpasswd.h"

#include <crypt.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "base/text.h"

#define MAX_FILE     ((size_t)16 << 20)
#define MAX_PASSWORD 72 /* bcrypt reads no more: what is longer would be right whatever its end is */
#define REMEMBERED   256
#define MEMORY       (300 * NANOSECONDS_PER_SECOND)

/* For a user who is not there: the answer takes as long as for one who is. Of a random password. */
#define NOBODY "$2y$05$abcdefghijklmnopqrstuuK7u5rEVCuEbdKEs0hKrCCE/xBSoM1ri"

struct remembered {
    char proof[SHA256_HEX_SIZE]; /* of our secret, user, password and hash */
    int64_t until;
};

struct htpasswd {
    char *path;
    pthread_mutex_t lock; /* of all that follows */
    struct strmap users;  /* name → hash */
    struct timespec changed;
    off_t size;
    ino_t inode;
    char secret[ID_LENGTH + 1];
    struct remembered remembered[REMEMBERED];
    size_t next;
};

static bool is_bcrypt(const char *hash)
{
    return strlen(hash) == 60 && hash[0] == '$' && hash[1] == '2' && strchr("abxy", hash[2]) && hash[3] == '$';
}

static bool parse(const char *path, char *text, struct strmap *out, struct error *err)
{
    char *rest = text;
    for (size_t number = 1; rest; number++) {
        char *line = strsep(&rest, "\n");
        line[strcspn(line, "\r")] = '\0';
        if (!*line || *line == '#')
            continue;
        char *colon = strchr(line, ':');
        if (!colon || colon == line)
            return error_set(err, ERROR_INVALID, "%s:%zu: not of the form USER:HASH", path, number);
        *colon = '\0';
        if (!is_bcrypt(colon + 1))
            return error_set(err, ERROR_INVALID, "%s:%zu: the password of %s is not a bcrypt hash (htpasswd -B)", path,
                             number, line);
        strmap_set(out, line, colon + 1);
    }
    return true;
}

/* Under the lock. */
static bool load(struct htpasswd *htpasswd, struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    _cleanup_strmap_ struct strmap users = {0};
    struct stat status;
    if (stat(htpasswd->path, &status) < 0)
        return error_errno(err, "%s", htpasswd->path);
    if (status.st_mtim.tv_sec == htpasswd->changed.tv_sec && status.st_mtim.tv_nsec == htpasswd->changed.tv_nsec &&
        status.st_size == htpasswd->size && status.st_ino == htpasswd->inode)
        return true;
    if (!file_read(AT_FDCWD, htpasswd->path, MAX_FILE, &text, err))
        return false;
    strbuf_add_string(&text, "");
    _cleanup_free_ char *copy = strbuf_take(&text);
    htpasswd->changed = status.st_mtim; /* a file that is wrong is told of once */
    htpasswd->size = status.st_size;
    htpasswd->inode = status.st_ino;
    if (!parse(htpasswd->path, copy, &users, err))
        return false;
    strmap_release(&htpasswd->users);
    htpasswd->users = users;
    users = (struct strmap){0};
    return true;
}

struct htpasswd *htpasswd_open(const char *path, struct error *err)
{
    struct htpasswd *htpasswd = NEW(struct htpasswd);
    htpasswd->path = xstrdup(path);
    pthread_mutex_init(&htpasswd->lock, NULL);
    id_generate(htpasswd->secret);
    if (load(htpasswd, err))
        return htpasswd;
    htpasswd_free(htpasswd);
    return NULL;
}

void htpasswd_free(struct htpasswd *htpasswd)
{
    if (!htpasswd)
        return;
    strmap_release(&htpasswd->users);
    pthread_mutex_destroy(&htpasswd->lock);
    free(htpasswd->path);
    free(htpasswd);
}

static bool is_equal(const char *a, const char *b)
{
    unsigned difference = 0;
    for (size_t i = 0; i < SHA256_HEX_SIZE; i++)
        difference |= (unsigned char)a[i] ^ (unsigned char)b[i];
    return difference == 0;
}

static bool matches(const char *password, const char *hash)
{
    _cleanup_free_ struct crypt_data *data = NEW(struct crypt_data);
    const char *made = crypt_rn(password, hash, data, sizeof(*data));
    return made && strcmp(made, hash) == 0;
}

bool htpasswd_is_right(struct htpasswd *htpasswd, const char *user, const char *password)
{
    struct error err = ERROR_INIT;
    int64_t now = clock_monotonic();
    pthread_mutex_lock(&htpasswd->lock);
    if (!load(htpasswd, &err))
        log_and_release(LOG_LEVEL_ERROR, &err, "the users stay as they were");
    const char *found = strmap_get(&htpasswd->users, user);
    _cleanup_free_ char *hash = xstrdup(found ? found : NOBODY);
    _cleanup_free_ char *text =
        xasprintf("%s%zu:%s%zu:%s%s", htpasswd->secret, strlen(user), user, strlen(password), password, hash);
    char proof[SHA256_HEX_SIZE];
    sha256_hex(text, strlen(text), proof);
    bool is_known = false;
    for (size_t i = 0; i < REMEMBERED; i++)
        is_known |= htpasswd->remembered[i].until > now && is_equal(htpasswd->remembered[i].proof, proof);
    pthread_mutex_unlock(&htpasswd->lock);
    if (is_known)
        return true;
    if (!matches(password, hash) || !found || strlen(password) > MAX_PASSWORD)
        return false;
    pthread_mutex_lock(&htpasswd->lock);
    struct remembered *place = &htpasswd->remembered[htpasswd->next++ % REMEMBERED];
    memcpy(place->proof, proof, sizeof(proof));
    place->until = now + MEMORY;
    pthread_mutex_unlock(&htpasswd->lock);
    return true;
}
