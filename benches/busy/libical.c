/* The same questions to libical, which seeks where a rule has no COUNT. Reads objects, or "START RULE" a line, from FILE;
 * answers them ROUNDS times; prints how many intervals there are in the window and the nanoseconds of all rounds.
 *     libical objects|rules FILE ROUNDS
 * cc -O2 -o libical libical.c -lical */
#include <libical/ical.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static icaltimezone *berlin;
static time_t window_start, window_end;

/* The instances of a rule in the window, each turned into an instant as busy time needs it. */
static long expand(struct icaltimetype start, struct icalrecurrencetype rule, int length)
{
    long found = 0;
    icalrecur_iterator *it = icalrecur_iterator_new(rule, start);
    if (!it)
        return 0;
    if (rule.count == 0) {
        struct icaltimetype from = icaltime_from_timet_with_zone(window_start, 0, berlin);
        if (icaltime_compare(from, start) > 0)
            icalrecur_iterator_set_start(it, from);
    }
    for (;;) {
        struct icaltimetype next = icalrecur_iterator_next(it);
        if (icaltime_is_null_time(next))
            break;
        time_t at = icaltime_as_timet_with_zone(next, berlin);
        if (at >= window_end)
            break;
        if (at + length > window_start)
            found++;
    }
    icalrecur_iterator_free(it);
    return found;
}

static long of_rule(const char *start, const char *rule)
{
    struct icaltimetype at = icaltime_from_string(start);
    icaltime_set_timezone(&at, berlin);
    return expand(at, icalrecurrencetype_from_string(rule), 1);
}

static long of_object(const char *text)
{
    long found = 0;
    icalcomponent *calendar = icalparser_parse_string(text);
    icalcomponent *event = icalcomponent_get_first_component(calendar, ICAL_VEVENT_COMPONENT);
    for (; event; event = icalcomponent_get_next_component(calendar, ICAL_VEVENT_COMPONENT)) {
        icalproperty *property = icalcomponent_get_first_property(event, ICAL_DTSTART_PROPERTY);
        icalparameter *tzid = icalproperty_get_first_parameter(property, ICAL_TZID_PARAMETER);
        struct icaltimetype start = icalproperty_get_dtstart(property);
        icaltime_set_timezone(&start, icaltimezone_get_builtin_timezone(icalparameter_get_tzid(tzid)));
        int length = icaldurationtype_as_int(icalcomponent_get_duration(event));
        icalproperty *rule = icalcomponent_get_first_property(event, ICAL_RRULE_PROPERTY);
        if (rule) {
            found += expand(start, icalproperty_get_rrule(rule), length);
        } else {
            time_t at = icaltime_as_timet_with_zone(start, start.zone);
            if (at < window_end && at + length > window_start)
                found++;
        }
    }
    icalcomponent_free(calendar);
    return found;
}

int main(int count, char **arguments)
{
    if (count != 4)
        return 2;
    int objects = strcmp(arguments[1], "objects") == 0;
    FILE *file = fopen(arguments[2], "rb");
    if (!file)
        return 2;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = malloc(size + 1);
    if (!text || fread(text, 1, size, file) != (size_t)size)
        return 2;
    text[size] = 0;
    /* Objects end with a zero byte, rules with a line break. */
    long parts = 0;
    for (long i = 0; i < size; i++) {
        if (!objects && text[i] == '\n')
            text[i] = 0;
        parts += text[i] == 0;
    }
    berlin = icaltimezone_get_builtin_timezone("Europe/Berlin");
    window_start = icaltime_as_timet(icaltime_from_string("20260301T000000Z"));
    window_end = icaltime_as_timet(icaltime_from_string("20260430T000000Z"));
    long rounds = atol(arguments[3]), found = 0;
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    for (long round = 0; round < rounds; round++) {
        found = 0;
        const char *part = text;
        for (long n = 0; n < parts; n++, part += strlen(part) + 1) {
            if (objects) {
                found += of_object(part);
            } else {
                char start[32];
                const char *space = strchr(part, ' ');
                if (!space || space - part >= 32)
                    return 2;
                memcpy(start, part, space - part);
                start[space - part] = 0;
                found += of_rule(start, space + 1);
            }
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    printf("%ld %lld\n", found, (ended.tv_sec - began.tv_sec) * 1000000000LL + (ended.tv_nsec - began.tv_nsec));
    return 0;
}
