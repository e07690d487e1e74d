#include "common/base/faults.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/utf8.h"

void fault_add(struct faults *faults, enum fault_level level, const char *place, const char *format, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0)
        text = mem_strdup(format);
    faults->list = mem_grow(faults->list, &faults->cap, faults->count, sizeof *faults->list);
    faults->list[faults->count++] = (struct fault){.level = level, .place = mem_strdup(place), .text = text};
    if (level == FAULT_ERROR)
        faults->errors++;
}

void fault_print(const struct fault *fault, FILE *out)
{
    char *place = utf8_plain(fault->place);
    char *text = utf8_plain(fault->text);

    fprintf(out, "%s: %s: %s\n", fault->level == FAULT_ERROR ? "error" : "warning", place, text);
    free(place);
    free(text);
}

void faults_print(const struct faults *faults, FILE *out)
{
    for (size_t i = 0; i < faults->count; i++)
        fault_print(&faults->list[i], out);
}

void faults_free(struct faults *faults)
{
    if (faults == NULL)
        return;
    for (size_t i = 0; i < faults->count; i++) {
        free(faults->list[i].place);
        free(faults->list[i].text);
    }
    free(faults->list);
    *faults = (struct faults)FAULTS_INIT;
}

enum { NAME_MAX_LEN = 64 };

static size_t least_of_three(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Levenshtein's distance, with one row of the matrix. Both names are at most NAME_MAX_LEN long. */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t row[NAME_MAX_LEN + 1];

    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t above = row[j];
            row[j] = least_of_three(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[b_len];
}

const char *nearest_name(const char *name, const char *const *names, size_t count)
{
    const char *best = NULL;
    size_t best_distance = 0;
    size_t len = strlen(name);

    if (len > NAME_MAX_LEN)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t other = strlen(names[i]);
        if (other > NAME_MAX_LEN)
            continue;
        size_t distance = edit_distance(name, len, names[i], other);
        size_t longer = len > other ? len : other;
        if (distance > 2 && distance * 3 > longer)
            continue;
        if (best == NULL || distance < best_distance) {
            best = names[i];
            best_distance = distance;
        }
    }
    return best;
}
