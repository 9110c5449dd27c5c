/* Writes the sample study.sas7bdat beside this file: invented patients, one row each, with labels and a date
 * format, by the writer of ReadStat, whose source the source package of pyreadstat holds:
 *
 *   pip download --no-deps --no-binary pyreadstat pyreadstat==1.3.7 && tar xzf pyreadstat-1.3.7.tar.gz
 *   gcc -I pyreadstat-1.3.7/src write_sas7bdat.c pyreadstat-1.3.7/src/[a-zA-Z]*.c pyreadstat-1.3.7/src/sas/*.c -lm
 *   ./a.out study.sas7bdat
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "readstat.h"

struct patient {
    const char *id, *arm, *sex, *diagnosis;
    double age, weight, ferritin_0, ferritin_7, day0, last, death;
};

/* Dates are days since 1 January 1960; a death of -1 is none. */
static const struct patient PATIENTS[] = {
    {"A01", "Ruxolitinib", "F", "AOSD", 34, 61.5, 5200, 1310.5, 22660, 22760, -1},
    {"A02", "Ruxolitinib", "M", "SLE", 58, 74.0, 15000, 2200, 22671, 22699, 22699},
    {"A03", "Ruxolitinib", "F", "AOSD", 27, 55.2, 880.4, 310, 22702, 22911, -1},
    {"B01", "Historical control", "F", "AOSD", 45, 58.0, 7300, 6900, 21520, 21541, 21541},
    {"B02", "Historical control", "M", "SLE", 63, 70.3, 2950, 3100.5, 21555, 21822, -1},
    {"B03", "Historical control", "F", "AOSD", 39, 49.9, 12040, -1, 21580, 21584, 21584},
};

static ssize_t to_file(const void *data, size_t length, void *context) {
    return write(*(int *)context, data, length);
}

static readstat_variable_t *number(readstat_writer_t *writer, const char *name, const char *label) {
    readstat_variable_t *made = readstat_add_variable(writer, name, READSTAT_TYPE_DOUBLE, 0);
    readstat_variable_set_label(made, label);
    return made;
}

static readstat_variable_t *word(readstat_writer_t *writer, const char *name, const char *label, size_t width) {
    readstat_variable_t *made = readstat_add_variable(writer, name, READSTAT_TYPE_STRING, width);
    readstat_variable_set_label(made, label);
    return made;
}

static void put(readstat_writer_t *writer, readstat_variable_t *variable, double value) {
    if (value < 0)
        readstat_insert_missing_value(writer, variable);
    else
        readstat_insert_double_value(writer, variable, value);
}

int main(int count, char **arguments) {
    int file = count == 2 ? open(arguments[1], O_CREAT | O_TRUNC | O_WRONLY, 0644) : -1;
    if (file < 0) {
        fprintf(stderr, "usage: a.out FILE\n");
        return 1;
    }
    long rows = sizeof PATIENTS / sizeof PATIENTS[0];
    readstat_writer_t *writer = readstat_writer_init();
    readstat_set_data_writer(writer, to_file);
    readstat_writer_set_table_name(writer, "STUDY");
    readstat_writer_set_file_timestamp(writer, 1700000000);
    readstat_variable_t *id = word(writer, "SUBJID", "Subject ID", 8);
    readstat_variable_t *arm = word(writer, "ARM", "Treatment group", 24);
    readstat_variable_t *age = number(writer, "AGE", "Age (years)");
    readstat_variable_t *sex = word(writer, "SEX", "Sex", 4);
    readstat_variable_t *diagnosis = word(writer, "DX", "Underlying disease", 12);
    readstat_variable_t *weight = number(writer, "WT", "Weight (kg)");
    readstat_variable_t *first = number(writer, "FERR_D0", "Ferritin day 0 (ug/L)");
    readstat_variable_t *second = number(writer, "FERR_D7", "Ferritin day 7 (ug/L)");
    readstat_variable_t *day0 = number(writer, "DAY0DT", "Day 0 date");
    readstat_variable_t *last = number(writer, "LASTDT", "Date of last follow-up");
    readstat_variable_t *death = number(writer, "DTHDT", "Date of death");
    readstat_variable_t *dates[] = {day0, last, death};
    for (int n = 0; n < 3; n++)
        readstat_variable_set_format(dates[n], "DATE9");
    if (readstat_begin_writing_sas7bdat(writer, &file, rows) != READSTAT_OK)
        return 1;
    for (long n = 0; n < rows; n++) {
        const struct patient *one = &PATIENTS[n];
        readstat_begin_row(writer);
        readstat_insert_string_value(writer, id, one->id);
        readstat_insert_string_value(writer, arm, one->arm);
        put(writer, age, one->age);
        readstat_insert_string_value(writer, sex, one->sex);
        readstat_insert_string_value(writer, diagnosis, one->diagnosis);
        put(writer, weight, one->weight);
        put(writer, first, one->ferritin_0);
        put(writer, second, one->ferritin_7);
        put(writer, day0, one->day0);
        put(writer, last, one->last);
        put(writer, death, one->death);
        if (readstat_end_row(writer) != READSTAT_OK)
            return 1;
    }
    int failed = readstat_end_writing(writer) != READSTAT_OK;
    readstat_writer_free(writer);
    close(file);
    return failed;
}
