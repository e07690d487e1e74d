#include <stdio.h>
#include <stdlib.h>

#include "common/base/utf8.h"
#include "common/skeleton/app.h"
#include "jstctl/verb.h"

/* What was printed has arrived. */
static int flush_output(int code, struct err *err)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return err_set(err, ERR_FATAL, 0, "standard output cannot be written: %m");
    return code;
}

/* Unlike a daemon's, a tool's last word is not a log line. */
static int exit_code(int code, const struct err *err)
{
    if (code >= 0)
        return code;
    char *text = utf8_plain(err->text);
    fprintf(stderr, "jstctl: %s\n", text);
    free(text);
    return err->kind == ERR_CONFIG ? EXIT_USAGE : EXIT_TEMPORARY;
}

int main(int argc, char **argv)
{
    struct app app = {0};
    struct err err = ERR_INIT;
    const struct err none = ERR_INIT;
    const struct verb *asked = verb_help_asked(argc, argv);
    int code = EXIT_DONE;

    if (asked != NULL) {
        verb_help(asked, stdout);
        return exit_code(flush_output(EXIT_DONE, &err), &err);
    }
    int rc = app_init(PROGRAM_JSTCTL, argc, argv, NULL, &app, &err);
    if (rc == 0)
        code = verb_call(&app, stdout, stderr, &err);
    else if (rc < 0)
        code = EXIT_USAGE; /* the faults have been printed */
    if (code >= 0)
        code = flush_output(code, &err);
    app_exit(&app, &none); /* frees; what is to be said is said here */
    return exit_code(code, &err);
}
