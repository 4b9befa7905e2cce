#include "runtime/console.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "runtime/mounts.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

bool console_open(int rows, int columns, int *master, int *slave, struct error *err)
{
    _cleanup_close_ int made = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (made < 0)
        return error_errno(err, "open /dev/pts/ptmx");
    int unlocked = 0;
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    if (ioctl(made, TIOCSPTLCK, &unlocked) < 0 || ((rows || columns) && ioctl(made, TIOCSWINSZ, &size) < 0))
        return error_errno(err, "set up the terminal");
    int peer = ioctl(made, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (peer < 0)
        return error_errno(err, "open the terminal");
    *slave = peer;
    *master = TAKE_FD(made);
    return true;
}

bool console_bind(int slave, struct error *err)
{
    _unused_ _cleanup_close_ int file =
        open("/dev/console", O_CREAT | O_RDONLY | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0666);
    /* An existing node may not open (no such device); it is covered all the same. */
    _cleanup_close_ int target = open("/dev/console", O_PATH | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_close_ int made = mount_clone(slave, "", false);
    if (target < 0 || made < 0 || !mount_attach(made, target))
        return error_errno(err, "mount console:/dev/console");
    return true;
}

bool console_take(int slave, struct error *err)
{
    if (ioctl(slave, TIOCSCTTY, 0) < 0)
        return error_errno(err, "set the controlling terminal");
    for (int fd = 0; fd < 3; fd++)
        if (dup2(slave, fd) < 0)
            return error_errno(err, "dup2");
    return true;
}
