#include "cli/compose/build_service.h"

#include "base/memory.h"

bool build_service(void *context, struct client *client, const char *service, struct error *err)
{
    return error_set(err, ERROR_UNSUPPORTED,
                     "service %s has a build section and its image is not there: this version does not build images; "
                     "build it elsewhere and tag it so",
                     service);
}
