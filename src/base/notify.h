/* Telling the service manager how it goes. */
#pragma once

/* sd_notify(3), without the library: "READY=1", "STOPPING=1". Nothing where nobody listens. */
void service_notify(const char *state);
