/* The token file on disk: mode 0600, replaced whole. */
#ifndef JST_EXTRACTOR_API_TOKEN_FILE_H
#define JST_EXTRACTOR_API_TOKEN_FILE_H

struct err;
struct token_pair;

/* Read it. Returns 0 with an empty pair when there is none; -1 with an empty pair and ERR_REJECT when it
 * cannot be used (the program then asks for a new token). */
int token_file_load(const char *path, const char *app_key, struct token_pair *ret, struct err *err)
    __attribute__((warn_unused_result));

/* Write it, creating its directory (mode 0700): a temporary file beside it, made durable, takes its place, so
 * that a crash leaves the old one or the new one. ERR_RETRY: the disk or the rights do not allow it. */
int token_file_save(const char *path, const char *app_key, const struct token_pair *pair, struct err *err)
    __attribute__((warn_unused_result));

#endif
