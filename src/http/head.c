#include "base/memory.h"
#include "http/message.h"

void http_head_release(struct http_head *head)
{
    free(head->method);
    free(head->target);
    strmap_release(&head->headers);
    *head = (struct http_head){.content_length = -1};
}
