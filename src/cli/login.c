#include <errno.h>
#include <string.h>
#include <termios.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/registry_auth.h"
#include "json/json_record.h"

#define MAX_PASSWORD ((size_t)64 << 10)

struct login_options {
    char *username, *password;
    bool reads_password;
};

/* "docker.io" and nothing at all mean the Hub. */
static const char *server_of(const struct command_call *call)
{
    const char *server = call->argument_count ? call->arguments[0] : "";
    if (!*server)
        return HUB_SERVER;
    if (strcmp(server, HUB_SERVER) == 0)
        return server;
    return registry_server_of(server);
}

/* As docker: without scheme, and without what follows the host. The caller frees. */
static char *server_key(const char *server)
{
    if (strcmp(server, HUB_SERVER) == 0)
        return xstrdup(server);
    const char *host = string_starts_with(server, "https://")  ? server + strlen("https://")
                       : string_starts_with(server, "http://") ? server + strlen("http://")
                                                               : server;
    return xstrndup(host, strcspn(host, "/"));
}

/* One line of standard input, without its end; with `is_hidden` the terminal does not show it. */
static bool ask(const char *question, bool is_hidden, char **answer, struct error *err)
{
    fputs(question, stdout);
    fflush(stdout);
    struct termios before;
    bool is_quiet = is_hidden && tcgetattr(STDIN_FILENO, &before) == 0;
    if (is_quiet) {
        struct termios hidden = before;
        hidden.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    }
    size_t size = 0;
    char *line = NULL;
    ssize_t length = getline(&line, &size, stdin);
    if (is_quiet) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        putchar('\n');
    }
    if (length < 0) {
        free(line);
        return error_set(err, ERROR_INVALID, "error reading from standard input");
    }
    line[strcspn(line, "\r\n")] = '\0';
    *answer = line;
    return true;
}

static bool complete(struct registry_login *login, const char *known_user, struct error *err)
{
    bool is_terminal = isatty(STDIN_FILENO);
    if (!is_terminal && (!string_is_set(login->username) || !string_is_set(login->password)))
        return error_set(err, ERROR_INVALID, "Error: Cannot perform an interactive login from a non TTY device");
    if (!string_is_set(login->username)) {
        bool has_known = string_is_set(known_user);
        _cleanup_free_ char *question = has_known ? xasprintf("Username (%s): ", known_user) : xstrdup("Username: ");
        free(TAKE_PTR(login->username));
        if (!ask(question, false, &login->username, err))
            return false;
        if (!*login->username)
            string_replace(&login->username, known_user);
        if (!string_is_set(login->username))
            return error_set(err, ERROR_INVALID, "username is required");
    }
    if (!string_is_set(login->password)) {
        free(TAKE_PTR(login->password));
        if (!ask("Password: ", true, &login->password, err))
            return false;
        if (!*login->password)
            return error_set(err, ERROR_INVALID, "password is required");
    }
    return true;
}

static bool authenticate(const struct command_call *call, struct registry_login *login, char **status,
                         struct error *err)
{
    _cleanup_json_ json_t *body = registry_login_json(login);
    _cleanup_json_ json_t *answer = client_post_json(call->client, "/auth", body, err);
    if (!answer)
        return false;
    const char *token = json_string_value(json_object_get(answer, "IdentityToken"));
    if (string_is_set(token)) {
        string_replace(&login->password, NULL);
        string_replace(&login->identity_token, token);
    }
    *status = xstrdup(json_string_value(json_object_get(answer, "Status")));
    return true;
}

static bool finish(const struct command_call *call, struct registry_login *login, struct error *err)
{
    _cleanup_free_ char *status = NULL, *file = NULL;
    if (!authenticate(call, login, &status, err))
        return false;
    if (!registry_login_store(call, login, &file, err))
        return error_prefix(err, "error saving credentials");
    if (file)
        fprintf(stderr,
                "\nWARNING! Your credentials are stored unencrypted in '%s'.\n"
                "Configure a credential helper to remove this warning. See\n"
                "https://docs.docker.com/go/credential-store/\n\n",
                file);
    if (string_is_set(status))
        puts(status);
    return true;
}

static bool read_options(const struct login_options *options, struct registry_login *login, struct error *err)
{
    if (string_is_set(options->password)) {
        if (options->reads_password)
            return error_set(err, ERROR_INVALID,
                             "conflicting options: cannot specify both --password and "
                             "--password-stdin");
        fputs("WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n", stderr);
    }
    string_replace(&login->username, options->username);
    string_replace(&login->password, options->password);
    if (!options->reads_password)
        return true;
    if (!string_is_set(options->username))
        return error_set(err, ERROR_INVALID, "the --password-stdin option requires --username to be set");
    _cleanup_free_ char *text = xcalloc(MAX_PASSWORD + 1, 1);
    ssize_t length = read_full(STDIN_FILENO, text, MAX_PASSWORD);
    if (length < 0)
        return error_errno(err, "reading the password");
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        text[--length] = '\0';
    string_replace(&login->password, text);
    return true;
}

static bool login_run(struct command_call *call, struct error *err)
{
    const struct login_options *options = call->values;
    _cleanup_registry_login_ struct registry_login login = {0}, known = {0};
    login.server = server_key(server_of(call));
    if (!read_options(options, &login, err))
        return false;
    bool has_options = string_is_set(login.username) || string_is_set(login.password);
    struct error why = ERROR_INIT;
    if (!registry_login_find(call, login.server, &known, &why))
        error_release(&why);
    if (!has_options && string_is_set(known.username) && string_is_set(known.password)) {
        fprintf(stderr,
                "Authenticating with existing credentials... [Username: %s]\n\n"
                " Info -> To login with a different account, run 'docker logout' followed by 'docker login'\n\n\n",
                known.username);
        _cleanup_free_ char *status = NULL;
        if (authenticate(call, &known, &status, &why)) {
            puts(string_or_empty(status));
            return true;
        }
        if (why.kind == ERROR_UNAVAILABLE)
            return error_move(err, &why);
        fprintf(stderr, "Login did not succeed, error: %s\n", error_message(&why));
        error_release(&why);
    }
    return complete(&login, known.username, err) && finish(call, &login, err);
}

#define PLACE(member_) offsetof(struct login_options, member_)
static const struct option login_rows[] = {
    {"password", 'p', OPTION_STRING, PLACE(password), "string", "Password or Personal Access Token (PAT)"},
    {"password-stdin", 0, OPTION_BOOL, PLACE(reads_password),
     .help = "Take the Password or Personal Access Token (PAT) from stdin"},
    {"username", 'u', OPTION_STRING, PLACE(username), "string", "Username"},
};

const struct command login_command = {
    .paths = {"login"},
    .usage = "[OPTIONS] [SERVER]",
    .help = "Authenticate to a registry",
    .long_help = "Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.",
    .group = GROUP_COMMON,
    .options = OPTION_TABLE(login_rows),
    .values_size = sizeof(struct login_options),
    .max_arguments = 1,
    .run = login_run,
};

static bool logout_run(struct command_call *call, struct error *err)
{
    const char *server = server_of(call);
    _cleanup_free_ char *key = server_key(server);
    printf("Removing login credentials for %s\n", strcmp(key, HUB_SERVER) == 0 ? HUB_SERVER : key);
    /* Files of old times have keys with a scheme. */
    const char *const schemes[] = {"", "http://", "https://"};
    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
        _cleanup_free_ char *whole = xasprintf("%s%s", schemes[i], key);
        struct error why = ERROR_INIT;
        if (!registry_login_erase(call, whole, &why)) {
            fflush(stdout);
            fprintf(stderr, "WARNING: could not erase credentials:\n%s: %s\n", whole, error_message(&why));
            error_release(&why);
        }
        if (strcmp(key, HUB_SERVER) == 0)
            break;
    }
    return true;
}

const struct command logout_command = {
    .paths = {"logout"},
    .usage = "[SERVER]",
    .help = "Log out from a registry",
    .long_help = "Log out from a registry.\nIf no server is specified, the default is defined by the daemon.",
    .group = GROUP_COMMON,
    .max_arguments = 1,
    .run = logout_run,
};
