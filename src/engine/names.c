#include "engine/names.h"

#include <ctype.h>
#include <stdint.h>
#include <sys/random.h>

#include "base/memory.h"

static const char *const adjectives[] = {
    "able",    "amber",  "ample",   "autumn",   "balmy",   "bold",    "brave",    "breezy", "bright",   "brisk",
    "calm",    "candid", "careful", "cheerful", "clear",   "clever",  "coastal",  "cosy",   "crisp",    "curious",
    "daring",  "deft",   "eager",   "earnest",  "easy",    "elegant", "even",     "fair",   "faithful", "festive",
    "fleet",   "fond",   "frank",   "friendly", "gallant", "gentle",  "glad",     "golden", "graceful", "grand",
    "hardy",   "hearty", "honest",  "hopeful",  "humble",  "jolly",   "jovial",   "keen",   "kind",     "lively",
    "loyal",   "lucid",  "lucky",   "mellow",   "merry",   "mild",    "modest",   "neat",   "nimble",   "noble",
    "patient", "placid", "plucky",  "polite",   "proud",   "quick",   "quiet",    "ready",  "resolute", "robust",
    "serene",  "sharp",  "silent",  "silver",   "sincere", "smooth",  "sober",    "spry",   "steady",   "sturdy",
    "sunny",   "swift",  "tender",  "thrifty",  "tidal",   "tidy",    "tranquil", "trusty", "upbeat",   "upright",
    "valiant", "vivid",  "warm",    "watchful", "wise",    "witty",   "zealous",  "zesty"};

static const char *const surnames[] = {
    "archimedes",  "babbage",   "banneker",   "becquerel",  "bell",     "bernoulli", "bohr",          "boole",
    "bose",        "boyle",     "brahe",      "carson",     "cauchy",   "cerf",      "chandrasekhar", "clarke",
    "copernicus",  "cray",      "curie",      "darwin",     "dijkstra", "dirac",     "drake",         "easley",
    "edison",      "einstein",  "engelbart",  "euclid",     "euler",    "faraday",   "fermat",        "fermi",
    "feynman",     "fibonacci", "franklin",   "galileo",    "galois",   "gauss",     "germain",       "goodall",
    "hamilton",    "hawking",   "heisenberg", "hertz",      "hodgkin",  "hopper",    "hypatia",       "jackson",
    "johnson",     "joule",     "kalam",      "kepler",     "khayyam",  "kilby",     "knuth",         "kovalevskaya",
    "lamarr",      "leakey",    "lehmann",    "lovelace",   "maxwell",  "mayer",     "mccarthy",      "mcclintock",
    "meitner",     "mendel",    "mendeleev",  "mirzakhani", "morse",    "napier",    "nash",          "newton",
    "nightingale", "nobel",     "noether",    "pascal",     "pasteur",  "payne",     "perlman",       "pike",
    "poincare",    "ptolemy",   "raman",      "ramanujan",  "ride",     "ritchie",   "robinson",      "rubin",
    "sagan",       "shannon",   "shockley",   "swartz",     "tesla",    "thompson",  "torvalds",      "turing",
    "volta",       "wiles",     "wright",     "wu",         "yalow",    "yonath"};

char *name_generate(unsigned attempt)
{
    uint32_t random[3] = {0};
    (void)!getrandom(random, sizeof(random), 0);
    const char *adjective = adjectives[random[0] % ARRAY_SIZE(adjectives)];
    const char *surname = surnames[random[1] % ARRAY_SIZE(surnames)];
    if (attempt == 0)
        return xasprintf("%s_%s", adjective, surname);
    return xasprintf("%s_%s%u", adjective, surname, random[2] % 10);
}

_Bool name_is_valid(const char *name)
{
    if (!isalnum((unsigned char)name[0]) || !name[1])
        return 0;
    for (const char *c = name + 1; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_' && *c != '.' && *c != '-')
            return 0;
    return 1;
}
