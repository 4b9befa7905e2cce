/* Files of variables (.env, --env-file, env_file): KEY=value, KEY: value, export KEY=value; a bare KEY takes the
   environment's value. 'single quotes' are literal; "double quotes" know \n \r \t \" \\ \$ and variables, as unquoted
   values do, which end at " #". Quoted values may have several lines. */
#pragma once

#include "base/error.h"
#include "base/text.h"

/* Adds to `out`. Variables in values are looked up in `environment` and then in what `out` has. Errors name `file` and
   the line. */
bool dotenv_parse(const char *file, const char *text, const struct strmap *environment, struct strmap *out,
                  struct error *err);
/* The same from a file. ERROR_NOT_FOUND where there is none. */
bool dotenv_read(const char *path, const struct strmap *environment, struct strmap *out, struct error *err);
