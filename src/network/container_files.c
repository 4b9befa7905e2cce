/* The text of the files in /etc that Docker gives every container. */
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "network/network.h"

#define RESOLV_CONF_LIMIT ((size_t)256 << 10)

char *network_hosts_file(const char *hostname, const char *domainname, const struct strlist *addresses,
                         const struct strlist *extra_hosts, const char *gateway)
{
    struct strbuf text = STRBUF_INIT;
    strbuf_add_string(&text, "127.0.0.1\tlocalhost\n"
                             "::1\tlocalhost ip6-localhost ip6-loopback\n"
                             "fe00::0\tip6-localnet\n"
                             "ff00::0\tip6-mcastprefix\n"
                             "ff02::1\tip6-allnodes\n"
                             "ff02::2\tip6-allrouters\n");
    for (size_t i = 0; i < extra_hosts->count; i++) {
        const char *colon = strchr(extra_hosts->items[i], ':');
        if (!colon)
            continue;
        const char *address = colon + 1;
        if (strcmp(address, "host-gateway") == 0)
            address = string_or_empty(gateway);
        strbuf_addf(&text, "%s\t%.*s\n", address, (int)(colon - extra_hosts->items[i]), extra_hosts->items[i]);
    }
    for (size_t i = 0; i < addresses->count; i++) {
        strbuf_addf(&text, "%.*s\t", (int)strcspn(addresses->items[i], "/"), addresses->items[i]);
        if (string_is_set(domainname))
            strbuf_addf(&text, "%s.%s ", hostname, domainname);
        strbuf_addf(&text, "%s\n", hostname);
    }
    return strbuf_take(&text);
}

/* What a resolv.conf says, by kind. */
struct resolver {
    struct strlist servers, search, options;
};

static void resolver_release(struct resolver *resolver)
{
    strlist_release(&resolver->servers);
    strlist_release(&resolver->search);
    strlist_release(&resolver->options);
}

static void read_line(struct resolver *resolver, const char *line)
{
    _cleanup_strlist_ struct strlist words = {0};
    while (*(line += strspn(line, " \t\r"))) {
        size_t length = strcspn(line, " \t\r");
        strlist_take(&words, xstrndup(line, length));
        line += length;
    }
    if (words.count < 2)
        return;
    bool is_search = strcmp(words.items[0], "search") == 0 || strcmp(words.items[0], "domain") == 0;
    struct strlist *into = strcmp(words.items[0], "nameserver") == 0 ? &resolver->servers
                           : is_search                               ? &resolver->search
                           : strcmp(words.items[0], "options") == 0  ? &resolver->options
                                                                     : NULL;
    if (!into)
        return;
    if (is_search) /* the last one counts (resolv.conf(5)) */
        strlist_release(into);
    for (size_t i = 1; i < words.count; i++)
        strlist_add(into, words.items[i]);
}

static void add_line(struct strbuf *text, const char *keyword, const struct strlist *words)
{
    if (words->count == 0)
        return;
    _cleanup_free_ char *joined = strlist_join(words, " ");
    strbuf_addf(text, "%s %s\n", keyword, joined);
}

/* A server on the host's loopback cannot be reached from another network namespace. */
static bool is_loopback(const char *server)
{
    return string_starts_with(server, "127.") || strcmp(server, "::1") == 0;
}

/* What was given for the container takes the place of what the host has. */
static void override(struct resolver *resolver, const struct strlist *dns, const struct strlist *search,
                     const struct strlist *options, struct strlist *overrides)
{
    const struct {
        const char *name;
        const struct strlist *from;
        struct strlist *to;
    } rows[] = {{"nameservers", dns, &resolver->servers},
                {"search", search, &resolver->search},
                {"options", options, &resolver->options}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].from->count) {
            strlist_copy(rows[i].to, rows[i].from);
            strlist_add(overrides, rows[i].name);
        }
}

char *network_resolv_conf(bool is_host_network, const struct strlist *dns, const struct strlist *search,
                          const struct strlist *options)
{
    struct strbuf text = STRBUF_INIT;
    _cleanup_strbuf_ struct strbuf host = STRBUF_INIT;
    _cleanup_(resolver_release) struct resolver resolver = {0};
    _cleanup_strlist_ struct strlist overrides = {0};
    /* A host without the file is like one with an empty file. */
    file_read(AT_FDCWD, "/etc/resolv.conf", RESOLV_CONF_LIMIT, &host, NULL);
    if (is_host_network && !dns->count && !search->count && !options->count)
        return strbuf_take(&host);
    _cleanup_strlist_ struct strlist lines = strlist_split(strbuf_text(&host), '\n');
    for (size_t i = 0; i < lines.count; i++)
        read_line(&resolver, lines.items[i]);
    for (size_t i = resolver.servers.count; !dns->count && !is_host_network && i-- > 0;)
        if (is_loopback(resolver.servers.items[i]))
            strlist_remove(&resolver.servers, i);
    override(&resolver, dns, search, options, &overrides);
    strbuf_add_string(&text, "# Generated by Wherry.\n"
                             "# This file can be edited; Wherry will not make further changes once it\n"
                             "# has been modified.\n\n");
    for (size_t i = 0; i < resolver.servers.count; i++)
        strbuf_addf(&text, "nameserver %s\n", resolver.servers.items[i]);
    /* "." stands for no search domain at all. */
    if (resolver.search.count != 1 || strcmp(resolver.search.items[0], ".") != 0)
        add_line(&text, "search", &resolver.search);
    add_line(&text, "options", &resolver.options);
    _cleanup_free_ char *overridden = strlist_join(&overrides, " ");
    strbuf_addf(&text, "\n# Based on host file: '/etc/resolv.conf' (legacy)\n# Overrides: [%s]\n", overridden);
    return strbuf_take(&text);
}

static void read_host(struct resolver *resolver)
{
    _cleanup_strbuf_ struct strbuf host = STRBUF_INIT;
    file_read(AT_FDCWD, "/etc/resolv.conf", RESOLV_CONF_LIMIT, &host, NULL);
    _cleanup_strlist_ struct strlist lines = strlist_split(strbuf_text(&host), '\n');
    for (size_t i = 0; i < lines.count; i++)
        read_line(resolver, lines.items[i]);
}

void network_dns_servers(const struct strlist *dns, struct strlist *out)
{
    _cleanup_(resolver_release) struct resolver resolver = {0};
    if (!dns->count)
        read_host(&resolver);
    strlist_copy(out, dns->count ? dns : &resolver.servers);
}

char *network_internal_resolv_conf(const struct strlist *dns, const struct strlist *search,
                                   const struct strlist *options)
{
    struct strbuf text = STRBUF_INIT;
    _cleanup_(resolver_release) struct resolver resolver = {0};
    _cleanup_strlist_ struct strlist overrides = {0};
    read_host(&resolver);
    override(&resolver, dns, search, options, &overrides);
    const char *ndots_from = NULL;
    for (size_t i = 0; i < resolver.options.count; i++)
        if (string_starts_with(resolver.options.items[i], "ndots:"))
            ndots_from = options->count ? "override" : "host";
    if (!ndots_from)
        strlist_add(&resolver.options, "ndots:0");
    strbuf_add_string(&text, "# Generated by Wherry.\n"
                             "# This file can be edited; Wherry will not make further changes once it\n"
                             "# has been modified.\n\nnameserver 127.0.0.11\n");
    if (resolver.search.count != 1 || strcmp(resolver.search.items[0], ".") != 0)
        add_line(&text, "search", &resolver.search);
    add_line(&text, "options", &resolver.options);
    _cleanup_free_ char *servers = strlist_join(&resolver.servers, " ");
    _cleanup_free_ char *overridden = strlist_join(&overrides, " ");
    strbuf_addf(&text,
                "\n# Based on host file: '/etc/resolv.conf' (internal resolver)\n# ExtServers: [%s]\n"
                "# Overrides: [%s]\n# Option ndots from: %s\n",
                servers, overridden, ndots_from ? ndots_from : "internal");
    return strbuf_take(&text);
}
