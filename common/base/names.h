/* A growing list of texts that it owns: names of fields, of topics, words of a command line. */
#ifndef JST_COMMON_BASE_NAMES_H
#define JST_COMMON_BASE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* A zeroed struct is an empty list. */
struct name_list {
    char **names;
    size_t count, cap;
};

enum { NO_NAME = -1 };

void names_add(struct name_list *list, const char *name, size_t len); /* copies */
void names_take(struct name_list *list, char *name);                  /* keeps this very text, and frees it */
void names_copy(struct name_list *list, const char *const *names, size_t count); /* adds each */

/* Where it stands; NO_NAME: nowhere. */
long names_find(const struct name_list *list, const char *name);
/* The first text that stands twice, or NULL. Compares each with each: for short lists. */
const char *names_twin(const struct name_list *list);
/* Take it out; those behind it move up. False: it was not there. */
bool names_remove(struct name_list *list, const char *name);

/* "a, b"; the caller frees it. */
char *names_join(const struct name_list *list) __attribute__((returns_nonnull));

void names_free(struct name_list *list); /* NULL ok; leaves an empty list */

#endif
