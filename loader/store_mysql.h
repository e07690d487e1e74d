/* The store over MySQL or MariaDB. */
#ifndef JST_LOADER_STORE_MYSQL_H
#define JST_LOADER_STORE_MYSQL_H

#include "common/mysql/db.h"
#include "loader/store.h"

/* Takes the connection over. */
struct store *store_mysql_new(struct db *db) __attribute__((returns_nonnull));

#endif
