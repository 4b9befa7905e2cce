/* Functions that are easy to misuse fail the build (the idea is git's banned.h). Included on the command line of every
   compilation, after the system's headers. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef strcpy
#define strcpy(a, b) banned_use_snprintf_or_strbuf
#undef strcat
#define strcat(a, b) banned_use_strbuf
#undef strncpy
#define strncpy(a, b, n) banned_use_snprintf
#undef strncat
#define strncat(a, b, n) banned_use_strbuf
#undef sprintf
#define sprintf(...) banned_use_snprintf
#undef vsprintf
#define vsprintf(...) banned_use_vsnprintf
#undef gmtime
#define gmtime(t) banned_use_gmtime_r
#undef localtime
#define localtime(t) banned_use_localtime_r
#undef atoi
#define atoi(t) banned_use_parse_int64
#undef system
#define system(t) banned_use_spawn
