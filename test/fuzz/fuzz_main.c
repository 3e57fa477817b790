/* Replays a fuzz target's corpus where libFuzzer is not linked: every file of
 * the folders and files named on the command line is one input. */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "test.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static size_t inputs_n;

static void replay_file(const char *path)
{
    struct buf input = {0};

    CHECK(test_read_file(&input, path));
    (void)LLVMFuzzerTestOneInput(input.data, input.len);
    inputs_n++;
    buf_clear(&input);
}

static void replay(const char *path)
{
    struct stat st;
    struct dirent *entry;
    DIR *folder;

    CHECK(stat(path, &st) == 0);
    if (!S_ISDIR(st.st_mode)) {
        replay_file(path);
        return;
    }
    folder = opendir(path);
    CHECK(folder != NULL);
    while ((entry = readdir(folder)) != NULL) {
        char *inner;

        if (entry->d_name[0] == '.')
            continue;
        inner = alloc_printf("%s/%s", path, entry->d_name);
        replay(inner);
        free(inner);
    }
    (void)closedir(folder);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    (void)printf("%zu inputs replayed\n", inputs_n);
    return inputs_n > 0 ? 0 : 1;
}
