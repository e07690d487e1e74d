#include "extractor/api/sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "common/base/err.h"
#include "common/http/form.h"

static int by_name(const void *a, const void *b)
{
    const struct form_field *const *x = a;
    const struct form_field *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

/* The parameters that are signed, sorted. Returns how many. */
static size_t sorted_fields(const struct form *form, const struct form_field *ret[FORM_FIELDS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < form->count; i++)
        if (strcmp(form->fields[i].name, "sign") != 0)
            ret[count++] = &form->fields[i];
    qsort(ret, count, sizeof ret[0], by_name);
    return count;
}

static int digest_form(EVP_MD_CTX *md, const struct form *form, const char *secret, unsigned char *ret,
                       unsigned *ret_len)
{
    const struct form_field *fields[FORM_FIELDS_MAX] = {0};
    size_t count = sorted_fields(form, fields);

    if (EVP_DigestInit_ex(md, EVP_md5(), NULL) != 1 || EVP_DigestUpdate(md, secret, strlen(secret)) != 1)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (EVP_DigestUpdate(md, fields[i]->name, strlen(fields[i]->name)) != 1 ||
            EVP_DigestUpdate(md, fields[i]->value, strlen(fields[i]->value)) != 1)
            return -1;
    return EVP_DigestFinal_ex(md, ret, ret_len) == 1 ? 0 : -1;
}

int sign_form(const struct form *form, const char *secret, char ret[SIGN_TEXT], struct err *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int rc = md != NULL ? digest_form(md, form, secret, digest, &len) : -1;

    EVP_MD_CTX_free(md);
    if (rc != 0 || len != (SIGN_TEXT - 1) / 2)
        return err_set(err, ERR_FATAL, 0,
                       "libcrypto computes no MD5, which the API's signature needs (is it in FIPS mode?)");
    for (unsigned i = 0; i < len; i++)
        snprintf(ret + (size_t)2 * i, 3, "%02x", digest[i]);
    return 0;
}
