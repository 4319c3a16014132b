// The compact vocabularies and the table of Unicode classes, embedded at compile time.
// Their format is described in deploy/dev/vocabulary.py, which rebuilds them from the originals.
#ifndef RECOUNT_VOCABULARIES_H
#define RECOUNT_VOCABULARIES_H

#include <stddef.h>

typedef struct {
  const unsigned char *bytes;  // lives as long as the process
  size_t count;
} recount_embedded;

recount_embedded recount_cl100k_base(void);
recount_embedded recount_o200k_base(void);
recount_embedded recount_deepseek_v3(void);
recount_embedded recount_unicode_classes(void);

#endif
