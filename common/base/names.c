#include "common/base/names.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

void names_take(struct name_list *list, char *name)
{
    list->names = mem_grow(list->names, &list->cap, list->count, sizeof *list->names);
    list->names[list->count++] = name;
}

void names_add(struct name_list *list, const char *name, size_t len)
{
    names_take(list, mem_strndup(name, len));
}

void names_copy(struct name_list *list, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        names_take(list, mem_strdup(names[i]));
}

long names_find(const struct name_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->names[i], name) == 0)
            return (long)i;
    return NO_NAME;
}

const char *names_twin(const struct name_list *list)
{
    for (size_t i = 1; i < list->count; i++)
        if ((size_t)names_find(list, list->names[i]) < i)
            return list->names[i];
    return NULL;
}

bool names_remove(struct name_list *list, const char *name)
{
    long at = names_find(list, name);

    if (at == NO_NAME)
        return false;
    free(list->names[at]);
    list->count--;
    memmove(list->names + at, list->names + at + 1, (list->count - (size_t)at) * sizeof(char *));
    return true;
}

char *names_join(const struct name_list *list)
{
    size_t len = 1;

    for (size_t i = 0; i < list->count; i++)
        len += strlen(list->names[i]) + 2;
    char *text = mem_alloc(len);
    char *end = text;
    for (size_t i = 0; i < list->count; i++) {
        size_t own = strlen(list->names[i]);
        memcpy(end, ", ", i > 0 ? 2 : 0);
        end += i > 0 ? 2 : 0;
        memcpy(end, list->names[i], own);
        end += own;
    }
    *end = '\0';
    return text;
}

void names_free(struct name_list *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; i < list->count; i++)
        free(list->names[i]);
    free(list->names);
    *list = (struct name_list){0};
}
