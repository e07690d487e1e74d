#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/options/options.h"
#include "common/skeleton/app.h"
#include "jstctl/docs.h"
#include "jstctl/verbs.h"

static const struct {
    const char *name;
    void (*print)(bool chinese, FILE *out);
} pages[] = {
    {"options", options_page},
    {"metrics", metrics_page},
};

/* The first of these that is set decides, as for other programs. */
static bool wants_chinese(const struct options *options)
{
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    const char *lang = options_text(options, "lang");

    for (size_t i = 0; i < sizeof variables / sizeof variables[0] && (lang == NULL || *lang == '\0'); i++)
        lang = getenv(variables[i]);
    return lang != NULL && strncmp(lang, "zh", 2) == 0;
}

int docs_run(const struct call *call, struct err *err)
{
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        if (strcmp(pages[i].name, call->args[0]) != 0)
            continue;
        pages[i].print(wants_chinese(call->app->options), call->out);
        return EXIT_DONE;
    }
    return err_set(err, ERR_CONFIG, 0, "unknown topic \"%s\"; known: options, metrics", call->args[0]);
}
