/* A twin of the Kafka source: logs in memory, offsets, a rebalance at will. Records are given out as copies
 * that are freed when they are released, so that the sanitizer sees who uses one too long. */
#ifndef JST_TESTS_MEMORY_SOURCE_H
#define JST_TESTS_MEMORY_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire/ports.h"

struct memory_log;

struct memory_source {
    struct source base;
    struct memory_log *logs; /* one a partition */
    size_t log_count, log_cap;
    size_t turn;
    bool bounded, end_given, all_paused;
    const char *group;      /* "g"; "": in none */
    bool ask_start;         /* SOURCE_START of each partition, which gives nothing until source_seek() */
    bool revoked, assigned; /* events that wait */
    struct memory_log *lost;
    _Atomic bool rebalance;    /* from any thread: take everything and give it back, before the next poll */
    bool gone_after_rebalance; /* what a rebalance takes is not given back */
    bool poll_fails;
    size_t given, out; /* records; out: not released yet */
    size_t idle_polls; /* in a row */
    size_t serves;
    int last_timeout_ms;
    size_t polls_at_once; /* polls that found nothing and would not wait */
    char paused[256];     /* topics that are paused, one after the other */
    void (*on_poll)(void *arg);
    void (*on_store)(void *arg, const char *topic, int32_t partition, int64_t offset);
    void *arg;
};

struct memory_source *memory_source_new(bool bounded);
/* A record at the end of a partition; returns its offset. value NULL: a tombstone. headers are copied. */
int64_t memory_source_add(struct memory_source *m, const char *topic, int32_t partition, int64_t timestamp_ms,
                          const char *key, const char *value, size_t value_len, const struct header *headers,
                          size_t header_count);
/* The messages below `low` are deleted. Who reads on below it gets SOURCE_LOST. */
void memory_source_delete_below(struct memory_source *m, const char *topic, int32_t partition, int64_t low);
/* The topic of this partition is deleted and made again: its log is empty, and the next poll tells. */
void memory_source_recreate(struct memory_source *m, const char *topic, int32_t partition);
/* Commit an offset as another process of the group did; -1: none. Holds from the next assignment on. */
void memory_source_commit(struct memory_source *m, const char *topic, int32_t partition, int64_t offset);
/* The next offset that this partition gives; -1: it waits for source_seek(). */
int64_t memory_source_position(const struct memory_source *m, const char *topic, int32_t partition);
/* Say once that this partition's messages were deleted unread. */
void memory_source_lose(struct memory_source *m, const char *topic, int32_t partition);
/* The committed offset: the next one to read; -1: none. What is stored is committed by the next poll, serve
 * or rebalance, and by asking here. */
int64_t memory_source_committed(const struct memory_source *m, const char *topic, int32_t partition);
/* kill -9 of the program: what is stored and not committed is lost, and everything behind the committed
 * offsets comes again. */
void memory_source_kill(struct memory_source *m);
/* Records committed, over all partitions. */
int64_t memory_source_done(const struct memory_source *m);

#endif
