/* Users and their bcrypt passwords, in the form of Apache's htpasswd -B. The file is read again when it has changed. */
#pragma once

#include "base/error.h"

struct htpasswd;
/* Entries with other hashes than bcrypt are an error: they would never be accepted. */
struct htpasswd *htpasswd_open(const char *path, struct error *err);
void htpasswd_free(struct htpasswd *htpasswd);
/* Thread-safe. Slow the first time, as bcrypt is meant to be; what was right is remembered for some minutes. */
bool htpasswd_is_right(struct htpasswd *htpasswd, const char *user, const char *password);
