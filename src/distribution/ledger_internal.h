/* Shared by the files of the ledger. */
#pragma once

#include <pthread.h>
#include <sqlite3.h>

#include "distribution/ledger.h"
#include "store/database.h"

struct ledger {
    struct database *database;
    char *log_path; /* SQLite's write-ahead log */
    pthread_mutex_t lock;
    pthread_cond_t synced;
    int log;              /* the same, or -1 */
    int64_t wanted, done; /* waits for the disk: how many were asked for, and which is over */
    bool is_syncing;
};

struct parameter {
    const char *text; /* or, where NULL, the number */
    int64_t number;
    bool is_null;
};
#define TEXT(value_)   ((struct parameter){.text = (value_), .is_null = (value_) == NULL})
#define NUMBER(value_) ((struct parameter){.number = (value_)})

/* Inside a transaction. A statement with its parameters bound; NULL with err. `sql` is a literal; so are the texts
   until the next step. */
sqlite3_stmt *ledger_statement(struct ledger *ledger, const char *sql, const struct parameter *parameters, int count,
                               struct error *err);
/* Runs one that gives no rows. */
bool ledger_run(struct ledger *ledger, const char *sql, const struct parameter *parameters, int count,
                struct error *err);
/* The first number of the first row; `missing` where there is no row. */
bool ledger_number(struct ledger *ledger, const char *sql, const struct parameter *parameters, int count,
                   int64_t missing, int64_t *out, struct error *err);
#define PARAMETERS(...)                                                                                                \
    ((const struct parameter[]){__VA_ARGS__}), (int)ARRAY_SIZE(((const struct parameter[]){__VA_ARGS__}))

/* Row ids; 0 where there is none. */
bool ledger_repository(struct ledger *ledger, const char *name, int64_t *id, struct error *err);
bool ledger_make_repository(struct ledger *ledger, const char *name, int64_t *id, struct error *err);
/* Within a transaction, after the change: is everything still within the quota? */
bool ledger_within_quota(struct ledger *ledger, const char *repository, const struct quota *quota, int64_t more,
                         struct error *err);
