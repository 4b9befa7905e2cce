#!/usr/bin/env python3
"""A person at a terminal: runs a command on a pseudo terminal and follows a script.

    terminal.py ROWS COLUMNS COMMAND [ARGUMENT...] <SCRIPT

Lines of the script: `expect TEXT` waits until TEXT was printed since the last match (20 s at most), `send TEXT` types it
(Python's escapes: \\r is Return, \\x03 Ctrl-C), `resize ROWS COLUMNS`, `signal NAME` to the command, `mode` prints whether
the terminal is `cooked` or `raw`, `end` waits for the command's end and prints `exit N` (or `signal N`), `screen` prints what was printed so far.
Exit status 1, with what was seen, where an expectation is not met."""
import codecs
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

LIMIT = 20
rows, columns = int(sys.argv[1]), int(sys.argv[2])
master, slave = pty.openpty()


def resize(new_rows, new_columns):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', new_rows, new_columns, 0, 0))


resize(rows, columns)
child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for number in (0, 1, 2):
        os.dup2(slave, number)
    os.close(master)
    os.close(slave)
    os.execvp(sys.argv[3], sys.argv[3:])

seen = b''
matched = 0


def read(wait):
    """What is printed within `wait` seconds; False where there was nothing."""
    global seen
    if not select.select([master], [], [], wait)[0]:
        return False
    try:
        data = os.read(master, 65536)
    except OSError:
        data = b''
    seen += data
    return bool(data)


def fail(why):
    os.kill(child, signal.SIGKILL)
    print(f'{why}; seen: {seen!r}')
    sys.exit(1)


def expect(text):
    global matched
    end = time.monotonic() + LIMIT
    while text.encode() not in seen[matched:]:
        if time.monotonic() > end:
            fail(f'expected {text!r}')
        read(0.1)
    matched = seen.index(text.encode(), matched) + len(text.encode())


def wait_end():
    end = time.monotonic() + LIMIT
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            break
        if time.monotonic() > end:
            fail('expected the end')
        read(0.05)
    while read(0):
        pass
    print(f'exit {os.WEXITSTATUS(status)}' if os.WIFEXITED(status) else f'signal {os.WTERMSIG(status)}')


for line in sys.stdin.read().splitlines():
    verb, _, rest = line.strip().partition(' ')
    if verb == 'expect':
        expect(codecs.decode(rest, 'unicode_escape'))
    elif verb == 'send':
        os.write(master, codecs.decode(rest, 'unicode_escape').encode('latin-1'))
    elif verb == 'resize':
        resize(*map(int, rest.split()))
    elif verb == 'signal':
        os.kill(child, signal.Signals[rest])
    elif verb == 'mode':
        print('cooked' if termios.tcgetattr(slave)[3] & termios.ICANON else 'raw')
    elif verb == 'end':
        wait_end()
    elif verb == 'screen':
        sys.stdout.write(seen.decode(errors='replace').replace('\r\n', '\n'))
    elif verb:
        fail(f'what is {verb}?')
