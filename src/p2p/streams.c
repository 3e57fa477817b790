/* Connections that are no peers, and names being looked up. */
#include <string.h>

#include "base/check.h"
#include "p2p/p2p_priv.h"
#include "p2p/streams_priv.h"

struct net_address net_address_of_endpoint(const struct net_endpoint *endpoint)
{
    static const struct net_address none;

    if (endpoint->path[0] != '\0')
        return none;
    return net_address_ipv6(endpoint->ip, endpoint->scope, endpoint->port);
}

bool net_endpoint_of_address(struct net_endpoint *ret, const struct net_address *address)
{
    memset(ret, 0, sizeof(*ret));
    ret->port = address->port;
    ret->scope = address->scope;
    if (address->net == NET_IPV4) {
        memset(ret->ip + 10, 0xff, 2);
        memcpy(ret->ip + 12, address->bytes, 4);
        return true;
    }
    if (address->net == NET_IPV6 || address->net == NET_CJDNS) {
        memcpy(ret->ip, address->bytes, sizeof(ret->ip));
        return true;
    }
    return false;
}

/* --- Streams --- */

struct stream *stream_find(const struct p2p *p2p, net_conn conn)
{
    struct stream *stream = p2p->streams;

    while (stream != NULL && stream->conn != conn)
        stream = stream->next;
    return stream;
}

void stream_open(struct p2p *p2p, struct stream *stream, const struct net_endpoint *endpoint,
                 uint64_t timeout_ms)
{
    CHECK(stream->conn == 0);
    stream->conn = p2p->net->ops->connect(p2p->net, endpoint, timeout_ms);
    stream->next = p2p->streams;
    p2p->streams = stream;
}

net_conn stream_release(struct p2p *p2p, struct stream *stream)
{
    struct stream **at = &p2p->streams;
    net_conn conn = stream->conn;

    while (*at != NULL && *at != stream)
        at = &(*at)->next;
    CHECK(*at != NULL);
    *at = stream->next;
    stream->conn = 0;
    return conn;
}

void stream_close(struct p2p *p2p, struct stream *stream)
{
    if (stream->conn != 0)
        p2p->net->ops->close(p2p->net, stream_release(p2p, stream));
}

/* --- Names --- */

void lookup_start(struct p2p *p2p, struct lookup *lookup, const char *host, size_t max)
{
    CHECK(lookup->token == 0);
    lookup->token = ++p2p->lookups_made;
    lookup->next = p2p->lookups;
    p2p->lookups = lookup;
    p2p->net->ops->resolve(p2p->net, lookup->token, host, max);
}

void lookup_forget(struct p2p *p2p, struct lookup *lookup)
{
    struct lookup **at = &p2p->lookups;

    if (lookup->token == 0)
        return;
    while (*at != NULL && *at != lookup)
        at = &(*at)->next;
    CHECK(*at != NULL);
    *at = lookup->next;
    lookup->token = 0;
}

void lookup_answered(struct p2p *p2p, uint64_t token, const struct net_endpoint *endpoints,
                     size_t n)
{
    struct lookup *lookup = p2p->lookups;

    while (lookup != NULL && lookup->token != token)
        lookup = lookup->next;
    if (lookup == NULL)
        return;
    lookup_forget(p2p, lookup);
    lookup->resolved(p2p, lookup, endpoints, n);
}
