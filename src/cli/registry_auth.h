/* Who the user is at a registry: config.json's auths, and the docker-credential-* programs that it names. */
#pragma once

#include "cli/command.h"

#define HUB_SERVER "https://index.docker.io/v1/"

struct registry_login {
    char *server;
    char *username;
    char *password;
    char *identity_token;
};
void registry_login_release(struct registry_login *login);
#define _cleanup_registry_login_ _cleanup_(registry_login_release)

/* What is known for a server ("host:5000", HUB_SERVER); empty strings where nothing is. */
bool registry_login_find(const struct command_call *call, const char *server, struct registry_login *out,
                         struct error *err);
/* *file gets the path of config.json where the password lies there in the clear (caller frees), else NULL. */
bool registry_login_store(const struct command_call *call, const struct registry_login *login, char **file,
                          struct error *err);
bool registry_login_erase(const struct command_call *call, const char *server, struct error *err);
/* The object of X-Registry-Auth, as JSON and as the header's value. */
json_t *registry_login_json(const struct registry_login *login);
char *registry_login_header(const struct registry_login *login);

/* "docker.io" → HUB_SERVER, any other domain itself. Within the argument, or static. */
const char *registry_server_of(const char *domain);
/* The headers of a request about images of that domain. */
bool registry_headers(const struct command_call *call, const char *domain, struct strmap *headers, struct error *err);
