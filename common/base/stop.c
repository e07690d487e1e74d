#include "common/base/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/clock.h"

static atomic_bool requested;
static atomic_bool hung_up;
static int stop_event = -1; /* readable from the first signal on */

static void on_signal(int number)
{
    static const uint64_t one = 1;
    int saved = errno;
    (void)number;

    if (atomic_exchange(&requested, true))
        _exit(EXIT_TEMPORARY);
    if (write(stop_event, &one, sizeof one) < 0) {
        /* no descriptor: the flag alone tells */
    }
    errno = saved;
}

static void on_hangup(int number)
{
    (void)number;
    atomic_store(&hung_up, true);
}

/* The descriptor wakes the main thread whichever thread the signal hits. */
void stop_on_signals(void)
{
    struct sigaction stop = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct sigaction hangup = {.sa_handler = on_hangup, .sa_flags = SA_RESTART};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigemptyset(&stop.sa_mask);
    sigaddset(&stop.sa_mask, SIGTERM);
    sigaddset(&stop.sa_mask, SIGINT);
    stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGHUP, &hangup, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

bool stop_requested(void)
{
    return atomic_load(&requested);
}

bool stop_hangup_taken(void)
{
    return atomic_exchange(&hung_up, false);
}

void stop_sleep_until(int64_t deadline_ms)
{
    struct pollfd event = {.fd = stop_event, .events = POLLIN};

    while (!stop_requested()) {
        int64_t left = deadline_ms - clock_monotonic_ms();
        if (left <= 0)
            return;
        poll(&event, 1, left < 60000 ? (int)left : 60000);
    }
}
