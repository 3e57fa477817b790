/* The orphanage beside a slow, obviously right one: a list of announcements that is
 * looked through for every question.
 */
#ifndef NAIVE_ORPHANAGE_H
#define NAIVE_ORPHANAGE_H

#include <stddef.h>
#include <stdint.h>

/* Reads operations from bytes, does them to both and compares all they say after each
 * (CHECK). Any bytes are operations. */
void naive_orphanage_run(const uint8_t *bytes, size_t len);

#endif /* NAIVE_ORPHANAGE_H */
