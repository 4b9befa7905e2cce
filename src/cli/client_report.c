#include "cli/client_report.h"

#include "base/memory.h"
#include "cli/template/template.h"

const char *go_architecture(void)
{
#if defined(__x86_64__)
    return "amd64";
#elif defined(__aarch64__)
    return "arm64";
#elif defined(__i386__)
    return "386";
#elif defined(__arm__)
    return "arm";
#elif defined(__riscv)
    return "riscv64";
#elif defined(__powerpc64__)
    return "ppc64le";
#elif defined(__s390x__)
    return "s390x";
#else
    return "unknown";
#endif
}

json_t *client_report(const char *api_version)
{
    json_t *report = json_pack("{s:{s:s}, s:s, s:s, s:s, s:s, s:s}", "Platform", "Name", CLIENT_NAME, "Version",
                               WHERRY_VERSION, "DefaultAPIVersion", CLIENT_API_VERSION, "Os", "linux", "Arch",
                               go_architecture(), "Context", CLIENT_CONTEXT);
    if (api_version)
        json_object_set_new(report, "ApiVersion", json_string(api_version));
    return report;
}

bool report_print(struct command_call *call, const char *format, const char *name, const struct value_type *type,
                  json_t *report, struct error *err)
{
    if (string_equal(format, "json"))
        format = "{{json .}}";
    _cleanup_(template_freep) struct template *template = template_parse_named(name, format, err);
    if (!template) {
        call->exit_code = 64;
        return error_prefix(err, "template parsing error");
    }
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    bool is_good = template_execute(template, (struct value){type, report}, 0, &text, err);
    printf("%s\n", strbuf_text(&text));
    return is_good;
}
