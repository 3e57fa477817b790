#include "p2p/capture.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "codec/writer.h"
#include "p2p/message.h"

/* Colons are not for folders' names everywhere. */
static char *folder_of(const char *folder, const struct net_address *address)
{
    char text[NET_ADDRESS_TEXT_SIZE];

    (void)net_address_text(text, address);
    for (char *at = text; *at != '\0'; at++)
        if (*at == ':')
            *at = '_';
    return alloc_printf("%s/message_capture/%s", folder, text);
}

static int append(struct disk *disk, const char *path, struct span data, struct error *err)
{
    struct disk_file *file = NULL;
    uint64_t len;
    int rc = disk_open(disk, &file, path, DISK_CREATE, err);

    if (rc == 0)
        rc = disk_size(file, &len, err);
    if (rc == 0)
        rc = disk_write(file, data.data, data.len, len, err);
    disk_close(file);
    return rc;
}

int capture_message(struct disk *disk, const char *folder, const struct net_address *address,
                    bool is_received, int64_t time_us, const char *name, struct span payload,
                    struct error *err)
{
    char *peer_folder = folder_of(folder, address);
    char *path =
        alloc_printf("%s/%s", peer_folder, is_received ? "msgs_recv.dat" : "msgs_sent.dat");
    struct buf record = {0};
    struct disk_entry entry;
    int rc;

    CHECK(strlen(name) <= MESSAGE_NAME_BYTES);
    buf_reserve(&record, 8 + MESSAGE_NAME_BYTES + 4 + payload.len);
    write_le64(&record, (uint64_t)time_us);
    memset(buf_extend(&record, MESSAGE_NAME_BYTES), 0, MESSAGE_NAME_BYTES);
    memcpy(record.data + 8, name, strlen(name));
    write_le32(&record, (uint32_t)payload.len);
    write_span(&record, payload);

    rc = disk_stat(disk, peer_folder, &entry, err);
    if (rc == E_NOT_FOUND)
        rc = disk_make_folder(disk, peer_folder, err);
    if (rc == 0)
        rc = append(disk, path, span_of_buf(&record), err);
    buf_clear(&record);
    free(path);
    free(peer_folder);
    return rc;
}
