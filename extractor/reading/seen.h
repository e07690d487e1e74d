/* The documents of an answer, told to the walk. Pure. */
#ifndef JST_EXTRACTOR_READING_SEEN_H
#define JST_EXTRACTOR_READING_SEEN_H

struct envelope;
struct pipeline;
struct walk;

/* A document is its id fields' texts (100 and "100" are the same); where one of them cannot be read, its
 * whole text, so that every document counts. */
void page_see(const struct pipeline *p, const struct envelope *e, struct walk *walk);

#endif
