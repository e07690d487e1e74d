/* What a piece of code writes to standard error. */
#ifndef JST_TESTS_CAPTURE_H
#define JST_TESTS_CAPTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct capture {
    int saved;
    FILE *file;
    char text[65536];
};

static inline void capture_begin(struct capture *c)
{
    c->file = tmpfile();
    c->saved = dup(STDERR_FILENO);
    if (c->file == NULL || dup2(fileno(c->file), STDERR_FILENO) < 0)
        abort();
}

/* Ends the capture; the text is in c->text. */
static inline const char *capture_end(struct capture *c)
{
    dup2(c->saved, STDERR_FILENO);
    close(c->saved);
    rewind(c->file);
    c->text[fread(c->text, 1, sizeof c->text - 1, c->file)] = '\0';
    fclose(c->file);
    return c->text;
}

#endif
