/* Instants at which a test wants the process to die or to stand still, in builds without NDEBUG. A release
 * has neither the calls nor their names.
 *
 *   JSTPIPE_KILL_AT=NAME[:N]  at the N-th passing of the point NAME (1 if N is missing), by whatever thread,
 * the process sends itself SIGKILL JSTPIPE_STOP_AT=NAME[:N]  the same with SIGSTOP
 *
 * Text of another form ends the process at its first point, with a line that says so; a name that no point
 * has changes nothing. */
#ifndef JST_COMMON_BASE_FAULT_POINT_H
#define JST_COMMON_BASE_FAULT_POINT_H

#ifdef NDEBUG
#define FAULT_POINT(name) ((void)0)
#else
#define FAULT_POINT(name) fault_point(name)
/* name: a literal, at most 63 bytes. From any thread. */
void fault_point(const char *name);
#endif

#endif
