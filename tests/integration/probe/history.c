/* history SEED HISTORIES MESSAGES: random histories of so many messages each, interleaved at random. A line a
 * message, in the order of arrival:
 *
 *   <history> <document> <version> <note> <line>...
 *
 * Numbers count from 0; documents of two histories differ. A line is "+" where the table takes it, "-" where
 * it is bad; the note stands in all lines, its spaces as "_". */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/units.h"
#include "tests/unit/twins/history.h"

static void print_state(int history, int document, int version)
{
    char note[NOTE_TEXT];

    write_note(document, version, note);
    for (char *at = note; *at != '\0'; at++)
        if (*at == ' ')
            *at = '_';
    printf("%d %d %d %s", history, document, version, note);
    for (int line = 1; line <= lines_of(document, version); line++)
        fputs(is_bad_line(document, version, line) ? " -" : " +", stdout);
    putchar('\n');
}

static void print_histories(unsigned seed, int histories, int messages)
{
    int *left = mem_alloc((size_t)histories * sizeof *left);
    unsigned *randoms = mem_alloc((size_t)histories * sizeof *randoms);

    for (int i = 0; i < histories; i++) {
        left[i] = messages;
        randoms[i] = seed * 7919U + (unsigned)i;
    }
    for (int open = histories; open > 0;) {
        int i = draw_number(&seed, histories);
        if (left[i] == 0)
            continue;
        int document = draw_number(&randoms[i], DOCUMENTS);
        print_state(i, i * DOCUMENTS + document, draw_number(&randoms[i], VERSIONS));
        open -= --left[i] == 0;
    }
    free(left);
    free(randoms);
}

int main(int argc, char **argv)
{
    int64_t numbers[3];

    for (int i = 0; i < 3; i++)
        if (argc != 4 || parse_int64(argv[i + 1], &numbers[i]) != 0 || numbers[i] < 0 || numbers[i] > 30000)
            return fputs("usage: history SEED HISTORIES MESSAGES, each at most 30000\n", stderr), 100;
    print_histories((unsigned)numbers[0], (int)numbers[1], (int)numbers[2]);
    return fflush(stdout) == 0 ? 0 : 111;
}
