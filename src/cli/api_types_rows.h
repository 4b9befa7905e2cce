/* How the tables of api_types_*.c are written. */
#pragma once

#include "cli/template/value.h"

/* F: a field with its own name in JSON. N: with another name there. O: left out of JSON while empty. */
#define F(name_, type_)                                                                                                \
    {                                                                                                                  \
#name_, NULL, &(type_), 0                                                                                      \
    }
#define N(name_, key_, type_)                                                                                          \
    {                                                                                                                  \
#name_, key_, &(type_), 0                                                                                      \
    }
#define O(name_, type_)                                                                                                \
    {                                                                                                                  \
#name_, NULL, &(type_), VALUE_OMIT_EMPTY                                                                       \
    }
#define NO(name_, key_, type_)                                                                                         \
    {                                                                                                                  \
#name_, key_, &(type_), VALUE_OMIT_EMPTY                                                                       \
    }
#define E(name_, type_)                                                                                                \
    {                                                                                                                  \
#name_, NULL, &(type_), VALUE_EMBEDDED                                                                         \
    }

#define POINTER_TO(symbol_, name_, type_)  static const struct value_type symbol_ = VALUE_POINTER(name_, &(type_))
#define LIST_OF(symbol_, name_, type_)     static const struct value_type symbol_ = VALUE_LIST(name_, &(type_))
#define MAP_OF(symbol_, name_, type_)      static const struct value_type symbol_ = VALUE_MAP(name_, &(type_))
#define STRUCT_OF(symbol_, name_, fields_) static const struct value_type symbol_ = VALUE_STRUCT(name_, fields_)
