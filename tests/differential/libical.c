/* Expands rules with libical: reads lines of "RULE START TO", prints the starts before TO, one line a rule ("long" at the end: there are more).
 * cc -O1 -o libical libical.c -lical */
#include <libical/ical.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    char rule[4096], start[64], to[64];
    while (scanf("%4095s %63s %63s", rule, start, to) == 3) {
        struct icalrecurrencetype recur = icalrecurrencetype_from_string(rule);
        struct icaltimetype dtstart = icaltime_from_string(start), end = icaltime_from_string(to);
        icalrecur_iterator *it = icalrecur_iterator_new(recur, dtstart);
        if (!it) {
            puts("refused");
            fflush(stdout);
            continue;
        }
        struct icaltimetype next;
        int n = 0;
        for (; n < 5000; n++) {
            next = icalrecur_iterator_next(it);
            if (icaltime_is_null_time(next) || icaltime_compare(next, end) >= 0)
                break;
            printf("%04d%02d%02dT%02d%02d%02d ", next.year, next.month, next.day, next.hour, next.minute, next.second);
        }
        puts(n == 5000 ? "long" : "");
        fflush(stdout);
        icalrecur_iterator_free(it);
    }
    return 0;
}
