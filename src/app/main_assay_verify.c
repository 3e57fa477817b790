/* assay-verify: one block from a file, held against the rules. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/options.h"
#include "app/verify_block.h"
#include "base/alloc.h"
#include "base/check.h"
#include "crypto/sha256.h"

enum { EXIT_VALID = 0, EXIT_BROKEN = 1, EXIT_UNKNOWN = 2 };

#define THREADS_MAX 256

static const char usage_head[] =
    "Usage: assay-verify --chain=NAME --height=N [options] BLOCKFILE\n"
    "\n"
    "Verifies one block without its chain, as far as what is given allows, and prints what\n"
    "was checked and what could not be, or each broken rule with txid and input.\n"
    "BLOCKFILE is the serialized block; '-' reads standard input.\n"
    "\n";

static const char usage_tail[] =
    "Exit status:\n"
    "\n"
    "  0  every script was checked and no rule is broken\n"
    "  1  a rule is broken\n"
    "  2  the input could not be read, or scripts could not be checked\n";

struct arguments {
    const char *chain;
    const char *height;
    const char *prevouts;
    const char *coins;
    const char *prev_mtp;
    const char *threads;
    const char *block;
};

static int complain(const char *what, const char *value)
{
    (void)fprintf(stderr, "assay-verify: %s '%s'\nTry 'assay-verify --help'.\n", what, value);
    return EXIT_UNKNOWN;
}

/* "--name=value" of a row of the table to its slot. */
static bool take_option(struct arguments *args, const char *argument)
{
    const struct {
        const char *name;
        const char **slot;
    } slots[] = {
        {"chain", &args->chain}, {"height", &args->height},     {"prevouts", &args->prevouts},
        {"coins", &args->coins}, {"prev-mtp", &args->prev_mtp}, {"threads", &args->threads},
    };

    if (strncmp(argument, "--", 2) != 0)
        return false;
    argument += 2;
    for (size_t i = 0; i < ARRAY_LEN(slots); i++) {
        size_t len = strlen(slots[i].name);

        CHECK(option_row_find(assay_verify_options, slots[i].name) != NULL);
        if (strncmp(argument, slots[i].name, len) == 0 && argument[len] == '=') {
            *slots[i].slot = argument + len + 1;
            return true;
        }
    }
    return false;
}

/* Digits only, up to max. */
static bool read_number(uint32_t *ret_number, const char *text, uint32_t max)
{
    uint64_t number = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        number = number * 10 + (uint64_t)(*text - '0');
        if (number > max)
            return false;
    }
    *ret_number = (uint32_t)number;
    return true;
}

static bool read_stream(struct buf *buf, FILE *file, const char *name)
{
    uint8_t part[65536];
    size_t len;

    while ((len = fread(part, 1, sizeof(part), file)) > 0) {
        buf_add(buf, part, len);
        if (buf->len > VERIFY_FILE_BYTES_MAX) {
            (void)fprintf(stderr, "assay-verify: '%s' is larger than %zu bytes\n", name,
                          VERIFY_FILE_BYTES_MAX);
            return false;
        }
    }
    if (ferror(file) != 0) {
        (void)fprintf(stderr, "assay-verify: could not read '%s': %s\n", name, strerror(errno));
        return false;
    }
    return true;
}

/* '-' is standard input. */
static bool read_file(struct buf *buf, const char *name)
{
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "rb");
    bool good;

    buf_reserve(buf, 1); /* So that an empty file still has an address. */
    if (file == NULL) {
        (void)fprintf(stderr, "assay-verify: could not open '%s': %s\n", name, strerror(errno));
        return false;
    }
    good = read_stream(buf, file, name);
    if (file != stdin)
        (void)fclose(file);
    return good;
}

/* Numbers and names; 0, or the exit status. */
static int fill_request(struct verify_request *request, const struct arguments *args)
{
    uint32_t number = 0;

    if (args->chain == NULL || args->height == NULL || args->block == NULL)
        return complain("missing", args->chain == NULL    ? "--chain"
                                   : args->height == NULL ? "--height"
                                                          : "BLOCKFILE");
    request->params = params_by_name(args->chain);
    if (request->params == NULL)
        return complain("unknown chain", args->chain);
    if (!read_number(&number, args->height, INT32_MAX))
        return complain("not a height", args->height);
    request->height = (int32_t)number;
    if (args->prev_mtp != NULL && !read_number(&request->prev_mtp, args->prev_mtp, UINT32_MAX))
        return complain("not a time", args->prev_mtp);
    request->has_prev_mtp = args->prev_mtp != NULL;
    if (args->coins != NULL && args->prevouts == NULL)
        return complain("--coins says where prevouts come from: missing", "--prevouts");
    request->threads_n = (unsigned)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1) - 1;
    if (args->threads != NULL) {
        if (!read_number(&number, args->threads, THREADS_MAX) || number == 0)
            return complain("not a number of threads", args->threads);
        request->threads_n = number - 1;
    }
    return 0;
}

static int verify(const struct verify_request *request)
{
    struct verify_report report;
    struct error err = {0};
    struct buf text = {0};
    int status = EXIT_VALID;
    int rc = verify_block(&report, request, &err);

    if (rc < 0) {
        (void)fprintf(stderr, "assay-verify: %s\n", error_text(&err));
        status = EXIT_UNKNOWN;
    } else if (!verify_report_complete(&report)) {
        status = EXIT_UNKNOWN;
    }
    if (report.findings_n > 0)
        status = EXIT_BROKEN;
    if (rc == 0 || report.findings_n > 0)
        verify_report_write(&text, &report, request);
    if (fwrite(text.data, 1, text.len, stdout) != text.len || fflush(stdout) != 0) {
        (void)fprintf(stderr, "assay-verify: could not write: %s\n", strerror(errno));
        status = EXIT_UNKNOWN;
    }
    buf_clear(&text);
    verify_report_clear(&report);
    return status;
}

static int run(const struct arguments *args)
{
    struct verify_request request = {0};
    struct buf block = {0};
    struct buf undo = {0};
    struct buf coins = {0};
    int status = fill_request(&request, args);

    if (status != 0)
        return status;
    if (!read_file(&block, args->block) ||
        (args->prevouts != NULL && !read_file(&undo, args->prevouts)) ||
        (args->coins != NULL && !read_file(&coins, args->coins))) {
        status = EXIT_UNKNOWN;
    } else {
        request.block = span_of_buf(&block);
        request.undo = span_of_buf(&undo);
        request.coins = span_of_buf(&coins);
        (void)sha256_select(true);
        status = verify(&request);
    }
    buf_clear(&block);
    buf_clear(&undo);
    buf_clear(&coins);
    return status;
}

static int show_help(void)
{
    struct buf text = {0};

    buf_add_printf(&text, "Assay assay-verify version v%s\n\n%s", ASSAY_VERSION, usage_head);
    options_help(&text, assay_verify_options, "--", true);
    buf_add_string(&text, usage_tail);
    (void)fwrite(text.data, 1, text.len, stdout);
    buf_clear(&text);
    return EXIT_VALID;
}

int main(int argc, char **argv)
{
    struct arguments args = {0};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0)
            return show_help();
        if (strcmp(argv[i], "--version") == 0) {
            (void)printf("Assay assay-verify version v%s\nReport bugs: %s\n", ASSAY_VERSION,
                         ASSAY_BUGREPORT);
            return EXIT_VALID;
        }
        if (take_option(&args, argv[i]))
            continue;
        if (argv[i][0] == '-' && argv[i][1] != '\0')
            return complain("unknown option", argv[i]);
        if (args.block != NULL)
            return complain("one block at a time, not also", argv[i]);
        args.block = argv[i];
    }
    return run(&args);
}
