/* The log of Docker's `local` driver, which is also the cache of the drivers that send their logs away: for each piece
   a protobuf message (api/types/plugins/logdriver LogEntry) between two copies of its length, big-endian in 32 bits, so
   that it can be read from both ends:

       LogEntry: 1 source (string), 2 time_nano (int64), 3 line (bytes), 4 partial (bool), 5 metadata (message):
                 1 last (bool), 2 id (string), 3 ordinal (int32) */
#pragma once

#include "shim/log_piece.h"
#include "shim/rotating_file.h"

void local_log_add(struct rotating_file *file, const struct log_piece *piece);
