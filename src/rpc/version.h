/* How this software names itself to users and peers. */
#ifndef RPC_VERSION_H
#define RPC_VERSION_H

#define CLIENT_NAME "Assay"
/* The level of Bitcoin's interface that is spoken: clients compare this number. */
#define CLIENT_VERSION 319900
#define CLIENT_VERSION_TEXT "31.99.0"
#define CLIENT_AGENT_NAME "Satoshi"
#define PROTOCOL_VERSION 70017

#endif /* RPC_VERSION_H */
