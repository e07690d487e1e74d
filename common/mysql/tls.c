/* TLS, and what a server may ask for as proof of the password. */
#include <string.h>

#include "common/base/err.h"
#include "common/mysql/connection_private.h"

static bool is_mode(const struct db_mysql *m, const char *mode)
{
    return strcmp(m->tls, mode) == 0;
}

/* Whoever answers in the server's place chooses how the password is proven. Only under "verify" is it known
 * to be the server, which may then ask for the password itself (PAM). */
#ifdef MARIADB_BASE_VERSION
static void restrict_proofs(const struct db_mysql *m, MYSQL *mysql)
{
    /* Compared as a part of this text: no name of a plugin that sends the password as it is, or as the old
     * hash of MySQL 4.0, is a part of it. */
    static const char allowed[] =
        "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519,parsec";

    if (!is_mode(m, "verify"))
        mysql_optionsv(mysql, MARIADB_OPT_RESTRICTED_AUTH, allowed);
}
#else
static void restrict_proofs(const struct db_mysql *m, MYSQL *mysql)
{
    bool clear_text = is_mode(m, "verify"); /* else a variable of the environment could allow it */

    mysql_options(mysql, MYSQL_ENABLE_CLEARTEXT_PLUGIN, &clear_text);
}
#endif

#ifdef MARIADB_BASE_VERSION
/* MariaDB's connector reads "enforce" as "if the server has it", unless the certificate is verified too. So
 * tls_check() looks at the connection afterwards. */
void tls_prepare(const struct db_mysql *m, MYSQL *mysql)
{
    char on = 1;
    char verify = is_mode(m, "verify");

    restrict_proofs(m, mysql);
    if (is_mode(m, "off"))
        return;
    mysql_ssl_set(mysql, NULL, NULL, verify ? m->ca : NULL, NULL, NULL); /* with a CA, 3.4 verifies anyway */
    mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &on);
    mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
}
#else
void tls_prepare(const struct db_mysql *m, MYSQL *mysql)
{
    unsigned mode = is_mode(m, "off")        ? SSL_MODE_DISABLED
                    : is_mode(m, "required") ? SSL_MODE_REQUIRED
                    : is_mode(m, "verify")   ? SSL_MODE_VERIFY_IDENTITY
                                             : SSL_MODE_PREFERRED;
    bool public_key = true; /* caching_sha2_password without TLS asks for it */

    restrict_proofs(m, mysql);
    mysql_options(mysql, MYSQL_OPT_SSL_MODE, &mode);
    mysql_options(mysql, MYSQL_OPT_SSL_CA, m->ca);
    mysql_options(mysql, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &public_key);
}
#endif

/* MariaDB's connector from 3.4 on compares no name when the host is written as 127.0.0.1 or ::1, and cannot
 * be told to. It also accepts a certificate that nobody signed: always for these two hosts, elsewhere when a
 * MariaDB server vouches for it with the password. The connector remembers what it found, so "verify" can
 * demand a signature on every way to the server. */
static bool certificate_is_signed(MYSQL *mysql)
{
#ifdef MARIADB_TLS_VERIFY_OK
    unsigned found = MARIADB_TLS_VERIFY_ERROR;

    return mariadb_get_infov(mysql, MARIADB_TLS_VERIFY_STATUS, &found) == 0 && found == MARIADB_TLS_VERIFY_OK;
#else
    (void)mysql; /* the connection would not have come about */
    return true;
#endif
}

int tls_check(const struct db_mysql *m, struct err *err)
{
    bool verify = is_mode(m, "verify");
    bool demanded = is_mode(m, "required") || verify;

    if (demanded && mysql_get_ssl_cipher(m->mysql) == NULL)
        return err_set(err, ERR_RETRY, 2026, "the server offers no TLS, and --mysql-tls is %s", m->tls);
    if (verify && !certificate_is_signed(m->mysql))
        return err_set(err, ERR_RETRY, 2026,
                       "TLS: nobody known has signed the server's certificate, and --mysql-tls is verify");
    return 0;
}
