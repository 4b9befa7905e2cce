/* The one SQLite database, <data-root>/wherry.db (WAL). The one place that opens it. Thread-safe: a call to
   database_begin holds the database until database_end.

   Durability is chosen at each transaction: what a user would miss after a power cut waits for the disk, what dies with
   its process does not. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

struct database;
struct sqlite3;
struct sqlite3_stmt;

struct database *database_open(const char *path, struct error *err);
/* The same for another program's database: `upgrade` makes its tables. */
struct database *database_open_with(const char *path, bool (*upgrade)(struct sqlite3 *connection, struct error *err),
                                    struct error *err);
void database_close(struct database *database);

enum durability { DURABLE, NOT_DURABLE };
bool database_begin(struct database *database, enum durability durability, struct error *err);
/* Commits, or rolls back where `commit` is false (and then returns true). */
bool database_end(struct database *database, bool commit, struct error *err);

/* Inside a transaction: a statement prepared once and kept, ready to be bound. `sql` must be a string literal (its
   address is the key). Bind with sqlite3_bind_*, step with database_step. */
struct sqlite3_stmt *database_statement(struct database *database, const char *sql, struct error *err);
/* 1: a row, 0: done (the statement is reset), -1: error. */
int database_step(struct database *database, struct sqlite3_stmt *statement, struct error *err);

/* A small keyed collection of JSON documents in the table `documents (kind, id, body)`: containers, networks,
   endpoints. One transaction each. */
bool database_put(struct database *database, const char *kind, const char *id, const char *body,
                  enum durability durability, struct error *err);
bool database_delete(struct database *database, const char *kind, const char *id, enum durability durability,
                     struct error *err);
/* Every document of a kind, id → body, in the order of insertion. */
bool database_all(struct database *database, const char *kind, struct strmap *out, struct error *err);
