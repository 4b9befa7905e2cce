/* GET /: a page that shows what is here. It asks the same API as everybody else. */
#include "distribution/call.h"

/* page.html as it is (meson.build). */
extern const char page_data[];
extern const uint32_t page_size;

void serve_page(struct call *call)
{
    if (!call_reads(call)) {
        answer_unsupported(call, "the page can only be read");
        return;
    }
    /* Nothing from elsewhere, and nobody's frame. */
    call_header(call, "Content-Security-Policy",
                "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
                "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    call_header(call, "Cache-Control", "no-cache");
    answer(call, 200, "text/html; charset=utf-8", page_data, page_size);
}
