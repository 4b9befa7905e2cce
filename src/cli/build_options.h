/* The flags of build: docker build's and docker buildx build's. */
#pragma once

#include "cli/build_output.h"
#include "cli/command.h"

struct build_options {
    /* What goes into the request. */
    struct strlist add_hosts, build_args, cache_from, labels, no_cache_filter, security_opts, tags, ulimits;
    struct strlist build_contexts, secrets;
    char *cgroup_parent, *cpuset_cpus, *cpuset_mems, *network, *platform, *target;
    int64_t cpu_period, cpu_quota, cpu_shares, memory, memory_swap, shm_size;
    bool force_rm, no_cache, pull, removes;
    /* What stays here. */
    char *call, *file, *iidfile, *metadata_file, *progress;
    bool is_check, is_quiet, is_untrusted, loads, pushes;
    struct strlist outputs;
    /* Known, and refused unless they ask for nothing. */
    char *builder, *isolation, *provenance, *sbom;
};
/* What tables cannot say: flags that contradict each other, and those that only ask for what there is. */
bool build_options_check(struct build_options *options, struct error *err);
/* build_image.c: the command. */
bool build_run(struct command_call *call, struct error *err);
