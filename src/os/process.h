/* What a daemon asks of the system about itself: going to the background, its
 * process id file, signals, limits, memory, processors.
 */
#ifndef OS_PROCESS_H
#define OS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* One byte from the child, which tells the waiting parent how the start went. */
struct daemon_link {
    int fd; /* Read end in the parent, write end in the child; -1: none. */
};

/* Fork into the background: the child leads a session of its own and has
 * /dev/null for its standard input, output and error. Call before any thread is
 * started. The working folder stays.
 *
 * Returns: 0 in both processes, or E_IO.
 * Out:     ret_is_parent: whose turn it is.
 *          ret_link:      end with daemon_wait (parent) or daemon_ready (child). */
NODISCARD int process_daemonize(bool *ret_is_parent, struct daemon_link *ret_link,
                                struct error *err) NONNULL(1, 2);

/* Parent: wait until the child is ready.
 * Returns: 0, or E_STOPPED if it ended before. */
NODISCARD int daemon_wait(struct daemon_link *link, struct error *err);

/* Child: tell the parent, once. Ends the link. Harmless on a link that is ended. */
void daemon_ready(struct daemon_link *link);

/* Forget the other side: a parent that does not wait, a child that gives up. */
void daemon_unlink(struct daemon_link *link);

/* Write this process's id and a newline to path, over what is there.
 * Returns: 0 or E_IO, E_PERMISSION ... */
NODISCARD int pid_file_write(const char *path, struct error *err);

/* Removes it; a file that is gone already is no error. */
void pid_file_remove(const char *path);

/* Signals as events: handlers only write a byte to a pipe. SIGTERM, SIGINT,
 * SIGHUP and SIGUSR1 are delivered, SIGPIPE is ignored. One per process.
 *
 * Returns: 0 or E_IO; E_STATE if they are open already. */
NODISCARD int signals_open(struct error *err);

/* Restores the default handlers. */
void signals_close(void);

/* Readable while a signal waits to be taken: for an event loop. -1 when closed. */
int signals_fd(void);

/* The next signal, or 0 if none came within timeout_ms (0: does not wait;
 * negative: waits for ever). */
int signals_wait(int64_t timeout_ms);

/* Puts a signal in as if it had been delivered. Any thread. */
void signals_raise(int number);

/* Raise the soft limit of open files towards want, as far as the hard limit lets.
 * Returns: the limit that holds then, at most INT_MAX. */
int fd_limit_raise(int want);

/* Memory this process may use: the machine's, or less where a control group says
 * so. Bytes; 0 if it cannot be found out. */
uint64_t memory_total_bytes(void);

/* What of it is free or can be freed without swapping, by the kernel's estimate.
 * Bytes; 0 if it cannot be found out. */
uint64_t memory_available_bytes(void);

/* The largest resident set of this process so far, bytes. */
uint64_t memory_peak_bytes(void);

/* Processors this process may run on, at least 1. */
unsigned processors_n(void);

#endif /* OS_PROCESS_H */
