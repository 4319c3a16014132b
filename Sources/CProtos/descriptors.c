#include "CProtos.h"

// #embed belongs to C23; clang takes it in earlier modes too, but then says that it is new.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char descriptors[] = {
#embed "data/descriptors.binpb"
};

const unsigned char *recount_descriptor_set(size_t *count) {
  *count = sizeof descriptors;
  return descriptors;
}
