/* What the twin of the database stores. */
#ifndef JST_TESTS_FAKE_DATA_H
#define JST_TESTS_FAKE_DATA_H

#include "tests/unit/twins/fake_db.h"

void fake_data_free(struct fake_data *d);
void fake_data_add_row(struct fake_data *d, const char *const *cells, size_t count);
void fake_data_drop_row(struct fake_data *d, size_t i);
struct fake_head *fake_data_head(const struct fake_data *d, const char *pipeline, const char *document);
void fake_data_add_head(struct fake_data *d, const struct fake_head *head);
void fake_data_copy(struct fake_data *to, const struct fake_data *from);

#endif
