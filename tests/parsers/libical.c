/* Reads an iCalendar file with libical and prints each complaint; status 1 when there is one.
 * METHOD is taken off before the restrictions are checked: RFC 5546 wants an ORGANIZER with PUBLISH, and a feed of
 * free slots has none on purpose (nobody invites). Prints "events N" when all is well. */
#include <libical/ical.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int complaints;

static void complain(icalcomponent *component)
{
    for (icalproperty *p = icalcomponent_get_first_property(component, ICAL_XLICERROR_PROPERTY); p;
         p = icalcomponent_get_next_property(component, ICAL_XLICERROR_PROPERTY)) {
        fprintf(stderr, "%s: %s\n", icalcomponent_kind_to_string(icalcomponent_isa(component)),
                icalproperty_get_xlicerror(p));
        complaints++;
    }
    for (icalcomponent *c = icalcomponent_get_first_component(component, ICAL_ANY_COMPONENT); c;
         c = icalcomponent_get_next_component(component, ICAL_ANY_COMPONENT))
        complain(c);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    FILE *file = fopen(argv[1], "rb");
    if (!file)
        return 2;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = calloc((size_t)size + 1, 1);
    if (!text || fread(text, 1, (size_t)size, file) != (size_t)size)
        return 2;
    fclose(file);

    icalerror_set_errors_are_fatal(0);
    icalcomponent *calendar = icalparser_parse_string(text);
    if (!calendar || icalcomponent_isa(calendar) != ICAL_VCALENDAR_COMPONENT) {
        fprintf(stderr, "not one VCALENDAR\n");
        return 1;
    }
    icalproperty *method = icalcomponent_get_first_property(calendar, ICAL_METHOD_PROPERTY);
    if (method)
        icalcomponent_remove_property(calendar, method);
    icalrestriction_check(calendar);
    complain(calendar);
    if (icalerrno != ICAL_NO_ERROR) {
        fprintf(stderr, "%s\n", icalerror_strerror(icalerrno));
        complaints++;
    }
    printf("events %d\n", icalcomponent_count_components(calendar, ICAL_VEVENT_COMPONENT));
    icalcomponent_free(calendar);
    free(text);
    return complaints ? 1 : 0;
}
