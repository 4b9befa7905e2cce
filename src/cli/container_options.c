/* The flags of docker run and create, as rows. Checks that need no other flag are in flag_checks.c. */
#include "cli/container_options.h"

#include "base/memory.h"
#include "cli/flag_checks.h"
#include "cli/mount_option.h"
#include "cli/network_option.h"

#define WINDOWS_ONLY(flag)                                                                                             \
    "\"--" flag "\" is only supported on a Docker daemon running on windows, but the Docker daemon is running on "     \
    "linux"

#define AT(member) offsetof(struct container_options, member)
#define LIST(name_, member_, help_, parse_)                                                                            \
    {                                                                                                                  \
        .name = name_, .kind = OPTION_LIST, .offset = AT(member_), .value_name = "list", .help = help_,                \
        .parse = parse_                                                                                                \
    }
#define SHOWN_LIST(name_, member_, help_, parse_)                                                                      \
    {                                                                                                                  \
        .name = name_, .kind = OPTION_LIST, .offset = AT(member_), .value_name = "list", .help = help_,                \
        .parse = parse_, .default_text = "[]"                                                                          \
    }
#define STRING(name_, member_, help_)                                                                                  \
    {                                                                                                                  \
        .name = name_, .kind = OPTION_STRING, .offset = AT(member_), .value_name = "string", .help = help_             \
    }
#define INTEGER(name_, member_, help_)                                                                                 \
    {                                                                                                                  \
        .name = name_, .kind = OPTION_INT64, .offset = AT(member_), .value_name = "int", .help = help_                 \
    }
#define BYTES(name_, member_, help_)                                                                                   \
    {                                                                                                                  \
        .name = name_, .kind = OPTION_BYTES, .offset = AT(member_), .value_name = "bytes", .help = help_               \
    }
#define DURATION(name_, member_, help_)                                                                                \
    {                                                                                                                  \
        .name = name_, .kind = OPTION_DURATION, .offset = AT(member_), .value_name = "duration", .help = help_,        \
        .default_text = "0s"                                                                                           \
    }
#define FLAG(name_, member_, help_)                                                                                    \
    {                                                                                                                  \
        .name = name_, .kind = OPTION_BOOL, .offset = AT(member_), .help = help_                                       \
    }

const struct option container_option_rows[OPTION_ROW_COUNT] = {
    /* run's own come first; create's own, at the end, is left out of run's table */
    {"detach", 'd', OPTION_BOOL, AT(detach), NULL, "Run container in background and print container ID"},
    STRING("detach-keys", detach_keys, "Override the key sequence for detaching a container"),
    {"sig-proxy", 0, OPTION_BOOL, AT(sig_proxy), NULL, "Proxy received signals to the process", "true"},
    {"pull", 0, OPTION_STRING, AT(pull), "string", "Pull image before running (\"always\", \"missing\", \"never\")",
     "missing"},
    LIST("add-host", add_host, "Add a custom host-to-IP mapping (host:ip)", check_add_host),
    {"annotation", 0, OPTION_LIST, AT(annotation), "map",
     "Add an annotation to the container (passed through to the OCI runtime)", "map[]"},
    {"attach", 'a', OPTION_LIST, AT(attach), "list", "Attach to STDIN, STDOUT or STDERR", .parse = check_attach},
    {"blkio-weight", 0, OPTION_INT64, AT(blkio_weight), "uint16",
     "Block IO (relative weight), between 10 and 1000, or 0 to disable", "0", check_uint16},
    SHOWN_LIST("blkio-weight-device", blkio_weight_device, "Block IO weight (relative device weight)",
               check_weight_device),
    LIST("cap-add", cap_add, "Add Linux capabilities", NULL),
    LIST("cap-drop", cap_drop, "Drop Linux capabilities", NULL),
    STRING("cgroup-parent", cgroup_parent, "Optional parent cgroup for the container"),
    STRING("cgroupns", cgroupns,
           "Cgroup namespace to use (host|private)\n"
           "'host':    Run the container in the Docker host's cgroup namespace\n"
           "'private': Run the container in its own private cgroup namespace\n"
           "'':        Use the cgroup namespace as configured by the\n"
           "           default-cgroupns-mode option on the daemon (default)"),
    STRING("cidfile", cidfile, "Write the container ID to the file"),
    {"cpu-count", 0, OPTION_INT64, AT(cpu_count), "int", "CPU count (Windows only)",
     .unsupported = WINDOWS_ONLY("cpu-count"), .is_hidden = true},
    {"cpu-percent", 0, OPTION_INT64, AT(cpu_percent), "int", "CPU percent (Windows only)",
     .unsupported = WINDOWS_ONLY("cpu-percent"), .is_hidden = true},
    INTEGER("cpu-period", cpu_period, "Limit CPU CFS (Completely Fair Scheduler) period"),
    INTEGER("cpu-quota", cpu_quota, "Limit CPU CFS (Completely Fair Scheduler) quota"),
    INTEGER("cpu-rt-period", cpu_rt_period, "Limit CPU real-time period in microseconds"),
    INTEGER("cpu-rt-runtime", cpu_rt_runtime, "Limit CPU real-time runtime in microseconds"),
    {"cpu-shares", 'c', OPTION_INT64, AT(cpu_shares), "int", "CPU shares (relative weight)"},
    {"cpus", 0, OPTION_INT64, AT(nano_cpus), "decimal", "Number of CPUs", .parse = parse_cpus},
    STRING("cpuset-cpus", cpuset_cpus, "CPUs in which to allow execution (0-3, 0,1)"),
    STRING("cpuset-mems", cpuset_mems, "MEMs in which to allow execution (0-3, 0,1)"),
    LIST("device", device, "Add a host device to the container", NULL),
    LIST("device-cgroup-rule", device_cgroup_rule, "Add a rule to the cgroup allowed devices list", check_cgroup_rule),
    SHOWN_LIST("device-read-bps", device_read_bps, "Limit read rate (bytes per second) from a device",
               check_device_bps),
    SHOWN_LIST("device-read-iops", device_read_iops, "Limit read rate (IO per second) from a device",
               check_device_iops),
    SHOWN_LIST("device-write-bps", device_write_bps, "Limit write rate (bytes per second) to a device",
               check_device_bps),
    SHOWN_LIST("device-write-iops", device_write_iops, "Limit write rate (IO per second) to a device",
               check_device_iops),
    {"disable-content-trust", 0, OPTION_BOOL, AT(disable_content_trust), NULL, "Skip image verification", "true",
     check_content_trust},
    LIST("dns", dns, "Set custom DNS servers", check_ip_address),
    {"dns-opt", 0, OPTION_LIST, AT(dns_option), "list", "Set DNS options", .is_hidden = true},
    LIST("dns-option", dns_option, "Set DNS options", NULL),
    LIST("dns-search", dns_search, "Set custom DNS search domains", check_dns_search),
    STRING("domainname", domainname, "Container NIS domain name"),
    STRING("entrypoint", entrypoint, "Overwrite the default ENTRYPOINT of the image"),
    {"env", 'e', OPTION_LIST, AT(env), "list", "Set environment variables", .parse = check_env},
    LIST("env-file", env_file, "Read in a file of environment variables", NULL),
    LIST("expose", expose, "Expose a port or a range of ports", NULL),
    {"gpus", 0, OPTION_LIST, AT(gpus), "gpu-request", "GPU devices to add to the container ('all' to pass all GPUs)",
     .parse = check_gpus},
    LIST("group-add", group_add, "Add additional groups to join", NULL),
    STRING("health-cmd", health_cmd, "Command to run to check health"),
    DURATION("health-interval", health_interval, "Time between running the check (ms|s|m|h)"),
    INTEGER("health-retries", health_retries, "Consecutive failures needed to report unhealthy"),
    DURATION("health-start-interval", health_start_interval,
             "Time between running the check during the start period (ms|s|m|h)"),
    DURATION("health-start-period", health_start_period,
             "Start period for the container to initialize before starting health-retries countdown (ms|s|m|h)"),
    DURATION("health-timeout", health_timeout, "Maximum time to allow one check to run (ms|s|m|h)"),
    {"help", 0, OPTION_BOOL, 0, NULL, "Print usage", .is_help = true},
    {"hostname", 'h', OPTION_STRING, AT(hostname), "string", "Container host name"},
    FLAG("init", init, "Run an init inside the container that forwards signals and reaps processes"),
    {"interactive", 'i', OPTION_BOOL, AT(interactive), NULL, "Keep STDIN open even if not attached"},
    {"io-maxbandwidth", 0, OPTION_BYTES, AT(io_maximum_bandwidth), "bytes",
     "Maximum IO bandwidth limit for the system drive (Windows only)", .unsupported = WINDOWS_ONLY("io-maxbandwidth"),
     .is_hidden = true},
    {"io-maxiops", 0, OPTION_INT64, AT(io_maximum_iops), "uint",
     "Maximum IOps limit for the system drive (Windows only)", .unsupported = WINDOWS_ONLY("io-maxiops"),
     .is_hidden = true},
    STRING("ip", ip, "IPv4 address (e.g., 172.30.100.104)"),
    STRING("ip6", ip6, "IPv6 address (e.g., 2001:db8::33)"),
    STRING("ipc", ipc, "IPC mode to use"),
    STRING("isolation", isolation, "Container isolation technology"),
    BYTES("kernel-memory", kernel_memory, "Kernel memory limit"),
    {"label", 'l', OPTION_LIST, AT(label), "list", "Set meta data on a container", .parse = check_label},
    LIST("label-file", label_file, "Read in a line delimited file of labels", NULL),
    LIST("link", link, "Add link to another container", check_link),
    LIST("link-local-ip", link_local_ip, "Container IPv4/IPv6 link-local addresses", NULL),
    STRING("log-driver", log_driver, "Logging driver for the container"),
    LIST("log-opt", log_opt, "Log driver options", NULL),
    STRING("mac-address", mac_address, "Container MAC address (e.g., 92:d0:c6:0a:29:33)"),
    {"memory", 'm', OPTION_BYTES, AT(memory), "bytes", "Memory limit"},
    BYTES("memory-reservation", memory_reservation, "Memory soft limit"),
    {"memory-swap", 0, OPTION_BYTES, AT(memory_swap), "bytes",
     "Swap limit equal to memory plus swap: '-1' to enable unlimited swap", .parse = parse_memory_swap},
    {"memory-swappiness", 0, OPTION_INT64, AT(memory_swappiness), "int", "Tune container memory swappiness (0 to 100)",
     "-1"},
    {"mount", 0, OPTION_LIST, AT(mount), "mount", "Attach a filesystem mount to the container", .parse = check_mount},
    STRING("name", name, "Assign a name to the container"),
    {"net", 0, OPTION_LIST, AT(network), "network", "Connect a container to a network", .parse = check_network,
     .is_hidden = true},
    {"net-alias", 0, OPTION_LIST, AT(network_alias), "list", "Add network-scoped alias for the container",
     .is_hidden = true},
    {"network", 0, OPTION_LIST, AT(network), "network", "Connect a container to a network", .parse = check_network},
    LIST("network-alias", network_alias, "Add network-scoped alias for the container", NULL),
    FLAG("no-healthcheck", no_healthcheck, "Disable any container-specified HEALTHCHECK"),
    FLAG("oom-kill-disable", oom_kill_disable, "Disable OOM Killer"),
    INTEGER("oom-score-adj", oom_score_adj, "Tune host's OOM preferences (-1000 to 1000)"),
    STRING("pid", pid, "PID namespace to use"),
    INTEGER("pids-limit", pids_limit, "Tune container pids limit (set -1 for unlimited)"),
    STRING("platform", platform, "Set platform if server is multi-platform capable"),
    FLAG("privileged", privileged, "Give extended privileges to this container"),
    {"publish", 'p', OPTION_LIST, AT(publish), "list", "Publish a container's port(s) to the host"},
    {"publish-all", 'P', OPTION_BOOL, AT(publish_all), NULL, "Publish all exposed ports to random ports"},
    {"quiet", 'q', OPTION_BOOL, AT(quiet), NULL, "Suppress the pull output"},
    FLAG("read-only", read_only, "Mount the container's root filesystem as read only"),
    {"restart", 0, OPTION_STRING, AT(restart), "string", "Restart policy to apply when a container exits", "no"},
    FLAG("rm", remove, "Automatically remove the container and its associated anonymous volumes when it exits"),
    STRING("runtime", runtime, "Runtime to use for this container"),
    LIST("security-opt", security_opt, "Security Options", NULL),
    BYTES("shm-size", shm_size, "Size of /dev/shm"),
    STRING("stop-signal", stop_signal, "Signal to stop the container"),
    INTEGER("stop-timeout", stop_timeout, "Timeout (in seconds) to stop a container"),
    LIST("storage-opt", storage_opt, "Storage driver options for the container", NULL),
    {"sysctl", 0, OPTION_LIST, AT(sysctl), "map", "Sysctl options", "map[]", check_sysctl},
    LIST("tmpfs", tmpfs, "Mount a tmpfs directory", NULL),
    {"tty", 't', OPTION_BOOL, AT(tty), NULL, "Allocate a pseudo-TTY"},
    {"ulimit", 0, OPTION_LIST, AT(ulimit), "ulimit", "Ulimit options", "[]", check_ulimit},
    FLAG("use-api-socket", use_api_socket, "Bind mount Docker API socket and required auth"),
    {"user", 'u', OPTION_STRING, AT(user), "string", "Username or UID (format: <name|uid>[:<group|gid>])"},
    STRING("userns", userns, "User namespace to use"),
    STRING("uts", uts, "UTS namespace to use"),
    {"volume", 'v', OPTION_LIST, AT(volume), "list", "Bind mount a volume"},
    STRING("volume-driver", volume_driver, "Optional volume driver for the container"),
    LIST("volumes-from", volumes_from, "Mount volumes from the specified container(s)", NULL),
    {"workdir", 'w', OPTION_STRING, AT(workdir), "string", "Working directory inside the container"},
    {"pull", 0, OPTION_STRING, AT(pull), "string", "Pull image before creating (\"always\", \"|missing\", \"never\")",
     "missing"},
};

_Static_assert(sizeof(container_option_rows) / sizeof(container_option_rows[0]) == OPTION_ROW_COUNT,
               "the table is full");

void container_options_set_defaults(void *values)
{
    struct container_options *options = values;
    options->sig_proxy = true;
    options->disable_content_trust = true;
    options->memory_swappiness = -1;
    options->pull = xstrdup("missing");
    options->restart = xstrdup("no");
}
