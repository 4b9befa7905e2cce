#include "logger/settings.h"

static const struct field fields[] = {
    FIELD_STRING(struct logger_settings, "driver", driver, 0),
    FIELD_MAP(struct logger_settings, "options", options, 0),
    FIELD_STRING(struct logger_settings, "id", id, 0),
    FIELD_STRING(struct logger_settings, "name", name, 0),
    FIELD_STRING(struct logger_settings, "imageID", image_id, 0),
    FIELD_STRING(struct logger_settings, "imageName", image_name, 0),
    FIELD_STRING(struct logger_settings, "command", command, 0),
    FIELD_STRING(struct logger_settings, "hostname", hostname, 0),
    FIELD_STRING(struct logger_settings, "tag", tag, 0),
    FIELD_INT64(struct logger_settings, "created", created, 0),
    FIELD_MAP(struct logger_settings, "attributes", attributes, 0),
};
const struct record_type logger_settings_type = RECORD_TYPE("LoggerSettings", struct logger_settings, fields);
