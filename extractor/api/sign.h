/* The signature of a request, as the API asks for it. Pure. */
#ifndef JST_EXTRACTOR_API_SIGN_H
#define JST_EXTRACTOR_API_SIGN_H

struct err;
struct form;

enum { SIGN_TEXT = 33 }; /* bytes, with the NUL */

/* Lower-case hex MD5 of secret + name + value + name + value …, the parameters (but `sign`) in the order of
 * their names' bytes, values before URL encoding. ERR_FATAL: libcrypto has no MD5. */
int sign_form(const struct form *form, const char *secret, char ret[SIGN_TEXT], struct err *err)
    __attribute__((warn_unused_result));

#endif
