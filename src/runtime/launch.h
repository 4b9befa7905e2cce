/* What it takes to start a container's first process, or one more process in it: the OCI config, and beside it what the
   OCI config has no words for. The engine (or wherry-runtime) fills it in, the runtime carries it out; between the two
   it travels over the wire. Tables only. */
#pragma once

#include "oci/runtime_config.h"

/* The overlay that becomes the root, mounted inside the container's own mount namespace. With no `lower` the root is
   config.root.path, bind-mounted there. */
struct launch_overlay {
    struct strlist lower; /* absolute folders, the topmost layer first */
    char *upper;
    char *work;
    /* What is written never waits for the disk, and unmounting does not sync it: for a container that is removed when
       it ends, and that a crash of the machine ends too. */
    bool is_volatile;
};

/* One network interface in a new network namespace: a veth pair whose host end is a port of a bridge, or a macvlan or
   ipvlan on a link of the host. It is made by the runtime's parent (in the host's namespace) and configured by the
   child (in its own), each in one netlink batch. It disappears with the namespace. */
struct launch_interface {
    char *host_name;   /* "veth1a2b3c4", of a veth; at most 15 bytes */
    char *kind;        /* "veth" (also NULL), "macvlan", "ipvlan" */
    char *parent;      /* on the host: the bridge, or the link that it is on */
    char *mode;        /* of a macvlan: "bridge", "private", "vepa", "passthru"; of an ipvlan: "l2", "l3", "l3s" */
    char *flag;        /* of an ipvlan: "bridge", "private", "vepa" */
    char *name;        /* "eth0" */
    bool has_own_name; /* where one is added later: not a prefix that gets a number */
    char *mac;         /* "02:42:ac:11:00:02" */
    struct strlist addresses; /* "172.17.0.2/16" */
    char *gateway;            /* default route, or NULL */
    char *gateway6;
    int64_t mtu;            /* 0: the kernel's */
    bool is_isolated;       /* the other ports of the bridge are not reached */
    bool has_hairpin;       /* the bridge sends back what the container sent to itself through a port of the host */
    struct strlist sysctls; /* "net.ipv4.conf.IFNAME.log_martians=1" */
};
extern const struct record_type launch_interface_type;

/* A user by name. Resolved in the child against the container's own /etc/passwd and /etc/group, after pivot_root. */
struct launch_user {
    char *user;                  /* "", "name", "1000", "name:group", "1000:1000"; NULL: config.process.user as it is */
    struct strlist extra_groups; /* names or numbers (--group-add) */
};

struct launch {
    struct runtime_config config;
    struct launch_overlay overlay;
    struct record_list interfaces; /* of struct launch_interface */
    bool wants_resolver;           /* DNS at 127.0.0.11, for whoever holds the container to open */
    struct launch_user user;
    struct bytes seccomp; /* compiled BPF (struct sock_filter[]); empty: no filter */
    bool wants_init;      /* --init: init_path is bind-mounted at /sbin/docker-init and put before the args */
    char *init_path;
    bool sets_home;      /* HOME from /etc/passwd where the environment has none (Docker does) */
    bool wants_cwd_made; /* cwd is made where it is missing (Docker does) */
    /* A FIFO that the child waits on in place of runtime_start, until one byte was written to it. The container then
       outlives the process that created it (wherry-runtime create). NULL: none, and it dies with its creator. */
    char *start_fifo;
};
extern const struct record_type launch_type;

/* One more process in a running container (exec). The container's seccomp filter, and its capabilities unless
   process.capabilities is given. */
struct launch_exec {
    struct oci_process process;
    struct launch_user user;
    struct bytes seccomp;
    bool sets_home;
    char *cgroups_path;
};
extern const struct record_type launch_exec_type;
