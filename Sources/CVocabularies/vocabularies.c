#include "vocabularies.h"

// #embed belongs to C23; clang takes it in earlier modes too, but then says that it is new.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char cl100k_base[] = {
#embed "data/cl100k_base.bin"
};

static const unsigned char o200k_base[] = {
#embed "data/o200k_base.bin"
};

static const unsigned char deepseek_v3[] = {
#embed "data/deepseek_v3.bin"
};

static const unsigned char unicode_classes[] = {
#embed "data/unicode_classes.bin"
};

#define EMBEDDED(name)                                            \
  recount_embedded recount_##name(void) {                         \
    return (recount_embedded){.bytes = name, .count = sizeof name}; \
  }

EMBEDDED(cl100k_base)
EMBEDDED(o200k_base)
EMBEDDED(deepseek_v3)
EMBEDDED(unicode_classes)
