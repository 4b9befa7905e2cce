"""A WebSocket client (RFC 6455) of the standard library, which can also do what no client does.

    websocket.py SOCKET PATH ACTION…      SOCKET: a path. The head is sent and read first; the actions in their order:

    binary:TEXT text:TEXT ping:TEXT pong:TEXT    a masked frame; \\n and \\xNN in TEXT are read as Python reads them
    part:TEXT more:TEXT last:TEXT                the frames of a fragmented binary message
    unmasked:TEXT  frame:HEX                     a frame without a mask; bytes as they are
    repeat:COUNT:TEXT                            a binary frame of TEXT so many times
    close:CODE                                   a close frame
    until:TEXT                                   reads until the output has it
    count:NUMBER                                 reads until the output has so many bytes
    wait                                         reads until the connection ends
    vanish                                       closes the connection without a word
    header:NAME=VALUE                            (before the head) another value, or none

What came is printed: the status line, a line for each run of data frames of one kind, for each pong and close, and `end`."""
import base64
import hashlib
import os
import socket
import struct
import sys

KINDS = {0: 'continuation', 1: 'text', 2: 'binary', 8: 'close', 9: 'ping', 10: 'pong'}
KEY = base64.b64encode(os.urandom(16)).decode()


class Stream:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(path)
        self.received = b''
        self.output = b''
        self.events = []

    def more(self):
        try:
            piece = self.socket.recv(65536)
        except ConnectionResetError:
            piece = b''
        self.received += piece
        return bool(piece)

    def take(self, length):
        while len(self.received) < length:
            if not self.more():
                return None
        taken, self.received = self.received[:length], self.received[length:]
        return taken

    def send(self, opcode, data, is_last=True, is_masked=True):
        mask = os.urandom(4) if is_masked else b''
        flag = 128 if is_masked else 0
        head = bytes([opcode | (128 if is_last else 0)])
        if len(data) < 126:
            head += bytes([flag | len(data)])
        elif len(data) < 65536:
            head += struct.pack('>BH', flag | 126, len(data))
        else:
            head += struct.pack('>BQ', flag | 127, len(data))
        if is_masked:
            pad = (mask * (len(data) // 4 + 1))[:len(data)]
            data = (int.from_bytes(data, 'big') ^ int.from_bytes(pad, 'big')).to_bytes(len(data), 'big')
        self.raw(head + mask + data)

    def raw(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def read(self):
        """One frame; False at the end."""
        head = self.take(2)
        if head is None:
            self.events.append(('end', b''))
            return False
        length = head[1] & 127
        if head[1] & 128:
            sys.exit('the server masks')
        if length > 125:
            length = int.from_bytes(self.take(2 if length == 126 else 8), 'big')
        data = self.take(length)
        kind = KINDS[head[0] & 15] + ('' if head[0] & 128 else ' part')
        if kind in ('text', 'binary'):
            self.output += data
            if self.events and self.events[-1][0] == kind:
                data = self.events.pop()[1] + data
        self.events.append((kind, data))
        return True

    def until(self, is_done):
        while not is_done():
            if not self.read():
                break


def literal(text):
    return text.encode().decode('unicode_escape').encode('latin-1')


def show(kind, data):
    if kind == 'close':
        print('close', int.from_bytes(data[:2], 'big') if data else 'without a code')
    elif kind == 'end':
        print('end')
    else:
        print(kind, repr(data.decode('latin-1')) if len(data) < 1000 else f'{len(data)} bytes')


def handshake(stream, path, changes):
    headers = {'Host': 'x', 'Upgrade': 'websocket', 'Connection': 'Upgrade', 'Sec-WebSocket-Key': KEY,
               'Sec-WebSocket-Version': '13', 'Origin': 'http://x'}
    headers.update(changes)
    head = f'GET {path} HTTP/1.1\r\n' + ''.join(f'{name}: {value}\r\n' for name, value in headers.items() if value)
    stream.raw(head.encode() + b'\r\n')
    while b'\r\n\r\n' not in stream.received:
        if not stream.more():
            break
    head, _, stream.received = stream.received.partition(b'\r\n\r\n')
    lines = head.decode().split('\r\n')
    print(lines[0])
    if os.environ.get('SHOW_HEAD'):
        print('\n'.join(lines[1:]))
    fields = dict(line.lower().split(': ', 1) for line in lines[1:])
    if ' 101 ' not in lines[0]:
        length = int(fields.get('content-length', 1 << 30))
        while len(stream.received) < length and stream.more():
            pass
        print(stream.received.decode().rstrip('\n'))
        return False
    accept = base64.b64encode(hashlib.sha1((KEY + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').encode()).digest()).decode()
    if fields['sec-websocket-accept'] != accept.lower() or fields['upgrade'] != 'websocket':
        sys.exit('a wrong handshake')
    return True


def act(stream, action):
    name, _, text = action.partition(':')
    opcodes = {'binary': 2, 'text': 1, 'ping': 9, 'pong': 10, 'last': 0}
    if name in opcodes:
        stream.send(opcodes[name], literal(text))
    elif name in ('part', 'more'):
        stream.send(2 if name == 'part' else 0, literal(text), is_last=False)
    elif name == 'unmasked':
        stream.send(2, literal(text), is_masked=False)
    elif name == 'frame':
        stream.raw(bytes.fromhex(text))
    elif name == 'repeat':
        count, _, text = text.partition(':')
        stream.send(2, literal(text) * int(count))
    elif name == 'close':
        stream.send(8, struct.pack('>H', int(text)) if text else b'')
    elif name == 'until':
        stream.until(lambda: literal(text) in stream.output)
    elif name == 'count':
        stream.until(lambda: len(stream.output) >= int(text))
    elif name == 'wait':
        stream.until(lambda: False)
    elif name == 'vanish':
        stream.socket.close()
    else:
        sys.exit(f'unknown action {action}')


def main():
    changes = dict(action[7:].split('=', 1) for action in sys.argv[3:] if action.startswith('header:'))
    stream = Stream(sys.argv[1])
    if handshake(stream, sys.argv[2], changes):
        for action in sys.argv[3:]:
            if not action.startswith('header:'):
                act(stream, action)
    for event in stream.events:
        show(*event)


main()
