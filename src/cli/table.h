/* Columns that line up: Go's text/tabwriter as docker uses it. A cell ends at a tab; the last cell of a line belongs to
   no column; a column is as wide as its widest cell in the lines that follow one another. */
#pragma once

#include "base/strbuf.h"

/* Appends `text` (lines, cells separated by tabs) to *out. Widths are counted in characters. */
void table_align(const char *text, size_t minimum_width, size_t padding, struct strbuf *out);
/* The same with docker's usual numbers: 10 and 3. */
void table_align_listing(const char *text, struct strbuf *out);
