/* Tests' reader of the vectors that come as comma-separated values: first line names
 * the columns. */
#ifndef TEST_CSV_H
#define TEST_CSV_H

#include "test.h"

#define CSV_COLUMNS_MAX 32

struct csv {
    struct buf text;
    char *at; /* The rest of the file. */
    char *columns[CSV_COLUMNS_MAX];
    size_t columns_n;
    char *fields[CSV_COLUMNS_MAX];
    size_t fields_n;
};

static inline size_t csv_split(char **fields, char **at)
{
    size_t n = 0;
    char *line = *at;
    char *end = strchr(line, '\n');

    *at = end == NULL ? line + strlen(line) : end + 1;
    if (end != NULL)
        *end = '\0';
    while (line != NULL && n < CSV_COLUMNS_MAX) {
        fields[n++] = line;
        line = strchr(line, ',');
        if (line != NULL)
            *line++ = '\0';
    }
    if (n > 0 && fields[n - 1][0] != '\0' && fields[n - 1][strlen(fields[n - 1]) - 1] == '\r')
        fields[n - 1][strlen(fields[n - 1]) - 1] = '\0';
    return n;
}

/* False (and the test is skipped) if the file is not there. */
static inline bool csv_open(struct csv *csv, const char *relative)
{
    const char *path = test_data_path(relative);

    memset(csv, 0, sizeof(*csv));
    if (path == NULL || !test_read_file(&csv->text, path)) {
        test_skip("no vectors");
        return false;
    }
    (void)buf_string(&csv->text);
    csv->at = (char *)csv->text.data;
    csv->columns_n = csv_split(csv->columns, &csv->at);
    return true;
}

static inline bool csv_next(struct csv *csv)
{
    if (csv->at == NULL || *csv->at == '\0')
        return false;
    csv->fields_n = csv_split(csv->fields, &csv->at);
    return true;
}

/* "" where the row has no such field. */
static inline const char *csv_get(const struct csv *csv, const char *column)
{
    for (size_t i = 0; i < csv->columns_n && i < csv->fields_n; i++)
        if (strcmp(csv->columns[i], column) == 0)
            return csv->fields[i];
    return "";
}

static inline void csv_close(struct csv *csv)
{
    buf_clear(&csv->text);
}

#endif /* TEST_CSV_H */
