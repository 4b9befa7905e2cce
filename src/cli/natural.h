/* The order in which docker lists names: runs of digits compare as numbers, all else by character, so that "9/tcp"
   comes before "80/tcp". */
#pragma once

int natural_compare(const char *left, const char *right);
