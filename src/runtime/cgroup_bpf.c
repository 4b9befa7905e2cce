/* cgroup v2 has no devices controller; in its place a program decides about every access (BPF_PROG_TYPE_CGROUP_DEVICE).
   It is handed { access << 16 | type, major, minor } and answers 1 to allow. OCI's rules are in order and the last that
   fits decides, so the program asks them from the last to the first and ends at the first that fits. */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/memory.h"
#include "runtime/cgroup_v2.h"

#define MAX_INSTRUCTIONS 4096
#define PER_RULE         10

struct program {
    struct bpf_insn *code;
    size_t count;
};

static struct bpf_insn *emit(struct program *program, struct bpf_insn instruction)
{
    program->code[program->count] = instruction;
    return &program->code[program->count++];
}

/* A jump if `dst <op> value`, to be pointed at the end of its rule. */
static void emit_skip(struct program *program, uint8_t operation, uint8_t dst, int32_t value)
{
    emit(program, (struct bpf_insn){.code = BPF_JMP | operation | BPF_K, .dst_reg = dst, .imm = value, .off = -1});
}

#define ACCESS_ALL (BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE | BPF_DEVCG_ACC_MKNOD)

static int32_t access_mask(const char *access)
{
    if (!string_is_set(access))
        return ACCESS_ALL;
    return (strchr(access, 'r') ? BPF_DEVCG_ACC_READ : 0) | (strchr(access, 'w') ? BPF_DEVCG_ACC_WRITE : 0) |
           (strchr(access, 'm') ? BPF_DEVCG_ACC_MKNOD : 0);
}

static void emit_return(struct program *program, bool allow)
{
    emit(program, (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = allow});
    emit(program, (struct bpf_insn){.code = BPF_JMP | BPF_EXIT});
}

/* True when the rule fits everything, so that no earlier one is ever asked. */
static bool emit_rule(struct program *program, const struct oci_device_rule *rule)
{
    size_t start = program->count;
    const char *type = string_is_set(rule->type) ? rule->type : "a";
    int32_t mask = access_mask(rule->access);
    if (*type != 'a')
        emit_skip(program, BPF_JNE, BPF_REG_2, *type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
    if (mask != ACCESS_ALL) {
        emit(program,
             (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_3});
        /* Allowed is what asks for nothing else; denied is what asks for any of it. */
        emit(program, (struct bpf_insn){.code = BPF_ALU64 | BPF_AND | BPF_K,
                                        .dst_reg = BPF_REG_1,
                                        .imm = rule->allow ? ~mask : mask});
        emit_skip(program, rule->allow ? BPF_JNE : BPF_JEQ, BPF_REG_1, 0);
    }
    if (rule->major.is_set && rule->major.value >= 0)
        emit_skip(program, BPF_JNE, BPF_REG_4, (int32_t)rule->major.value);
    if (rule->minor.is_set && rule->minor.value >= 0)
        emit_skip(program, BPF_JNE, BPF_REG_5, (int32_t)rule->minor.value);
    bool fits_all = program->count == start;
    emit_return(program, rule->allow);
    for (size_t i = start; i < program->count; i++)
        if (program->code[i].off == -1)
            program->code[i].off = (int16_t)(program->count - i - 1);
    return fits_all;
}

static void emit_program(struct program *program, const struct record_list *rules)
{
    /* r2 = type, r3 = access, r4 = major, r5 = minor */
    emit(program, (struct bpf_insn){.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_1});
    emit(program, (struct bpf_insn){.code = BPF_ALU64 | BPF_AND | BPF_K, .dst_reg = BPF_REG_2, .imm = 0xffff});
    emit(program, (struct bpf_insn){.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = BPF_REG_3, .src_reg = BPF_REG_1});
    emit(program, (struct bpf_insn){.code = BPF_ALU64 | BPF_RSH | BPF_K, .dst_reg = BPF_REG_3, .imm = 16});
    emit(program,
         (struct bpf_insn){.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = BPF_REG_4, .src_reg = BPF_REG_1, .off = 4});
    emit(program,
         (struct bpf_insn){.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = BPF_REG_5, .src_reg = BPF_REG_1, .off = 8});
    for (size_t i = rules->count; i-- > 0;)
        if (emit_rule(program, RECORD_AT(*rules, struct oci_device_rule, i)))
            return;
    emit_return(program, true);
}

static int bpf(int command, union bpf_attr *attributes)
{
    return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

bool cgroup_bpf_attach(int cgroup, const struct record_list *rules, struct error *err)
{
    size_t capacity = 8 + rules->count * PER_RULE;
    if (cgroup < 0)
        return error_errno(err, "open the cgroup");
    if (capacity > MAX_INSTRUCTIONS)
        return error_set(err, ERROR_INVALID, "too many device rules");
    _cleanup_free_ struct bpf_insn *code = xcalloc(capacity, sizeof(*code));
    struct program program = {.code = code};
    emit_program(&program, rules);

    union bpf_attr load = {.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
                           .insns = (uint64_t)(uintptr_t)program.code,
                           .insn_cnt = (uint32_t)program.count,
                           .license = (uint64_t)(uintptr_t) "Apache-2.0"};
    _cleanup_close_ int fd = bpf(BPF_PROG_LOAD, &load);
    if (fd < 0)
        return error_errno(err, "load the device program");
    /* It lives as long as the cgroup. */
    union bpf_attr attach = {.target_fd = (uint32_t)cgroup,
                             .attach_bpf_fd = (uint32_t)fd,
                             .attach_type = BPF_CGROUP_DEVICE,
                             .attach_flags = BPF_F_ALLOW_MULTI};
    if (bpf(BPF_PROG_ATTACH, &attach) < 0)
        return error_errno(err, "attach the device program");
    return true;
}
