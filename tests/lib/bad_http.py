"""Requests that no client sends, over a unix socket.

    bad_http.py SOCKET table <TABLE     a request a line, fields between tabs: METHOD PATH BODY STATUS MESSAGE
                                        (BODY: - is none; <9:a> is nine times a; MESSAGE: - is not compared)
    bad_http.py SOCKET raw <TABLE       NAME STATUS BYTES, where BYTES is a Python literal that is sent as it is, and then
                                        the sending side is closed; STATUS 0: no answer
    bad_http.py SOCKET vanish METHOD PATH [BODY]     asks, reads the head, and leaves without a word
    bad_http.py SOCKET stall METHOD PATH [BODY]      asks, reads the head, prints "stalled", reads nothing more, and leaves
                                        without a word when its standard input ends
    bad_http.py SOCKET upload METHOD PATH LENGTH     says that a body of that length comes, sends a part, prints "stalled",
                                        and leaves as `stall` does
    bad_http.py SOCKET hold COUNT       opens that many connections, says half a line on each, and leaves

Every line whose answer differs is shown; the exit status says whether there was one."""
import ast
import json
import re
import socket
import sys


def connect():
    stream = socket.socket(socket.AF_UNIX)
    stream.settimeout(10)
    stream.connect(sys.argv[1])
    return stream


def send(stream, data):
    try:
        stream.sendall(data)
    except OSError:  # it was refused before all of it was read
        pass


def answer(stream):
    received = b''
    try:
        while piece := stream.recv(65536):
            received += piece
    except OSError:
        pass
    stream.close()
    status = re.match(rb'HTTP/1\.1 (\d+)', received)
    body = received.partition(b'\r\n\r\n')[2]
    try:
        text = json.loads(re.sub(rb'^[0-9a-f]+\r\n|\r\n0\r\n.*$', b'', body))['message']
    except (ValueError, KeyError, TypeError):
        text = body.decode(errors='replace')
    return int(status[1]) if status else 0, text


def request(method, path, body, extra='Connection: close\r\n'):
    kind = '' if body is None else f'Content-Type: application/json\r\nContent-Length: {len(body)}\r\n'
    return f'{method} {path} HTTP/1.1\r\nHost: x\r\n{kind}{extra}\r\n'.encode() + (body or b'')


def compare(name, got, status, message):
    if got[0] == int(status) and message in ('-', got[1]):
        return True
    print(f'{name}\n  wanted {status} {message}\n  got    {got[0]} {got[1][:300]}')
    return False


def lines():
    return [line.rstrip('\n').split('\t') for line in sys.stdin if line.strip() and not line.startswith('#')]


def repeated(text):
    return re.sub(r'<(\d+):(.)>', lambda found: found[2] * int(found[1]), text)


def table():
    good = True
    for method, path, body, status, message in lines():
        stream = connect()
        send(stream, request(method, repeated(path), None if body == '-' else repeated(body).encode()))
        good &= compare(f'{method} {path} {body}', answer(stream), status, message)
    return good


def eval_bytes(literal):
    data = b''
    for part in literal.split(' + '):
        text, _, count = part.partition(' * ')
        data += ast.literal_eval(text) * int(count or 1)
    return data


def raw():
    good = True
    for name, status, literal in lines():
        stream = connect()
        send(stream, eval_bytes(literal))
        try:
            stream.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        good &= compare(name, answer(stream), status, '-')
    return good


def vanish():
    stream = connect()
    body = sys.argv[5].encode() if len(sys.argv) > 5 else None
    send(stream, request(sys.argv[3], sys.argv[4], body, 'Connection: Upgrade\r\nUpgrade: tcp\r\n'))
    status = re.match(rb'HTTP/1\.1 (\d+)', stream.recv(4096))
    stream.close()
    return status is not None and int(status[1]) in (101, 200)


def leave_later(stream):
    print('stalled', flush=True)
    sys.stdin.read()
    stream.close()
    return True


def stall():
    stream = connect()
    body = sys.argv[5].encode() if len(sys.argv) > 5 else None
    upgrade = 'Upgrade: tcp'
    if '/attach/ws' in sys.argv[4]:
        upgrade = 'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
    send(stream, request(sys.argv[3], sys.argv[4], body, f'Connection: Upgrade\r\n{upgrade}\r\n'))
    head = b''
    while not head.endswith(b'\r\n\r\n'):
        piece = stream.recv(1)
        if not piece:
            return False
        head += piece
    return leave_later(stream)


def upload():
    stream = connect()
    send(stream, f'{sys.argv[3]} {sys.argv[4]} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-tar\r\n'
                 f'Content-Length: {sys.argv[5]}\r\n\r\n'.encode() + bytes(int(sys.argv[5]) // 2))
    return leave_later(stream)


def hold():
    streams = [connect() for _ in range(int(sys.argv[3]))]
    for stream in streams:
        send(stream, b'GET /_pi')
    return True


sys.exit(0 if {'table': table, 'raw': raw, 'vanish': vanish, 'hold': hold, 'stall': stall, 'upload': upload}[sys.argv[2]]() else 1)
