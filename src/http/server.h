/* An HTTP/1.1 server for RPC: one thread reads requests from all connections, a
 * few workers answer them, in the order in which they came. A slow client holds
 * up nobody but itself.
 *
 * Own code because the house needs control of what such servers decide
 * themselves: see docs/decisions (limits, texts and statuses are those that
 * Bitcoin's clients expect, and parsing is a pure function that is fuzzed).
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "http/parser.h"
#include "os/socket.h"

#define HTTP_LISTENERS_MAX 64U
#define HTTP_CONNECTIONS_MAX 4096U

struct http_server;

struct http_exchange {
    const struct http_parser *request; /* Borrowed for the call. */
    const char *peer;                  /* "127.0.0.1:40000" */
    /* The handler fills: */
    int status;
    const char *content_type; /* NULL: none is sent. Static. */
    const char *extra_header; /* "Name: value" or NULL. Static. */
    struct buf body;          /* Released by the server. */
};

struct http_options {
    unsigned threads;             /* Workers, 1 at least. */
    unsigned queue_len;           /* Requests that may wait, 1 at least. */
    int64_t timeout_s;            /* A client may be silent so long; 0: for ever. */
    const struct subnet *allowed; /* Copied. Who may connect. */
    size_t allowed_n;
    /* Answers one request; on a worker, several at once. */
    void (*handle)(void *context, struct http_exchange *exchange);
    void *context;
};

/* Nothing listens yet. Returns 0 or E_IO. */
NODISCARD int http_server_new(struct http_server **ret_server, const struct http_options *options,
                              struct error *err);
/* As socket_listen; may be called HTTP_LISTENERS_MAX times, before the start. */
NODISCARD int http_server_listen(struct http_server *server, const char *host, uint16_t port,
                                 struct error *err);
NODISCARD int http_server_start(struct http_server *server, struct error *err);

/* Accept nothing more; what has been accepted is answered, with 503 if its turn
 * has not come. */
void http_server_interrupt(struct http_server *server);
/* Waits for the calls going on, sends what is to be sent, closes everything. */
void http_server_free(struct http_server *own_server);

/* "OK", "Not Found", ... */
const char *http_status_text(int status);

#endif /* HTTP_SERVER_H */
