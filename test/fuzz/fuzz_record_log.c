/* Target: the record log under a program of appends, syncs, replacements, kills and
 * power losses, one for each byte of the input. Nothing synced is ever lost, nothing
 * comes back changed, out of order or without its predecessors. */
#include "base/check.h"
#include "sim_disk.h"
#include "store/record_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct model {
    struct sim_disk *sim;
    struct record_log *log; /* NULL after a failure. */
    uint32_t base;          /* The oldest record that must be there... */
    uint32_t base_next;     /* ... or this one, when a replacement was cut short. */
    uint32_t synced;        /* Records before this one must come back. */
    uint32_t appended;
    uint32_t seen;
    bool is_first;
};

static struct span payload_of(uint32_t i, uint8_t *room)
{
    size_t len = i * 37U % 300U;

    memset(room, (int)(i * 7U), len);
    return span_of(room, len);
}

static int on_record(void *context, uint32_t type, struct span payload, struct error *err)
{
    struct model *model = context;
    uint8_t room[300];

    (void)err;
    if (model->is_first) {
        CHECK(type == model->base || type == model->base_next);
        model->base = type;
        model->seen = type;
        model->is_first = false;
    }
    CHECK(type == model->seen);
    CHECK(span_equal(payload, payload_of(type, room)));
    model->seen++;
    return 0;
}

static void open_log(struct model *model)
{
    struct record_log_options options = {
        .disk = sim_disk_disk(model->sim),
        .path = "/d/log",
        .kind = 1,
        .record_bytes_max = 300,
        .on_record = on_record,
        .context = model,
    };
    struct error err = {0};

    model->seen = model->base;
    model->is_first = true;
    if (record_log_open(&model->log, &options, &err) < 0) {
        CHECK(sim_disk_is_off(model->sim)); /* The only reason there may be. */
        model->log = NULL;
        return;
    }
    CHECK(model->seen >= model->synced && model->seen <= model->appended);
    model->synced = model->seen;
    model->appended = model->seen;
    model->base_next = model->base;
}

static int append(struct model *model, uint32_t i)
{
    uint8_t room[300];

    return record_log_append(model->log, i, payload_of(i, room), NULL);
}

static int replace(struct model *model)
{
    int rc = record_log_replace_start(model->log, NULL);

    model->base_next = model->appended > 3 ? model->appended - 3 : 0;
    model->base_next = model->base_next < model->base ? model->base : model->base_next;
    for (uint32_t i = model->base_next; i < model->appended && rc == 0; i++)
        rc = append(model, i);
    if (rc == 0)
        rc = record_log_replace_finish(model->log, NULL);
    if (rc == 0) {
        model->base = model->base_next;
        model->synced = model->appended;
    }
    return rc;
}

static int step(struct model *model, uint8_t byte)
{
    int rc = 0;

    switch (byte % 8) {
    case 0:
        rc = record_log_sync(model->log, NULL);
        if (rc == 0)
            model->synced = model->appended;
        return rc;
    case 1:
        return replace(model);
    case 2:
        sim_disk_crash_after(model->sim, byte / 8 % 8 + 1U);
        return 0;
    case 3:
        record_log_close(model->log);
        model->log = NULL;
        if (!sim_disk_is_off(model->sim))
            sim_disk_kill(model->sim);
        open_log(model);
        return 0;
    default:
        rc = append(model, model->appended);
        model->appended += rc == 0;
        return rc;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct model model = {.sim = sim_disk_new(len == 0 ? 0 : data[0])};

    CHECK(disk_make_folder(sim_disk_disk(model.sim), "/d", NULL) == 0);
    for (size_t i = 0; i < len && i < 500; i++) {
        if (model.log == NULL)
            open_log(&model);
        if (model.log == NULL || step(&model, data[i]) < 0) {
            record_log_close(model.log);
            model.log = NULL;
            sim_disk_power_on(model.sim);
        }
    }
    record_log_close(model.log);
    sim_disk_free(model.sim);
    return 0;
}
