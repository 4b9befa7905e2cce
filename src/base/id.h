/* Random identifiers. */
#pragma once

#define ID_LENGTH       64
#define ID_SHORT_LENGTH 12

/* 64 lower-case hex digits from the kernel's random source, NUL-terminated. As Docker does, an id whose first twelve
   digits are all decimal is drawn again, so that a short id is never taken for a number. */
void id_generate(char id[ID_LENGTH + 1]);
