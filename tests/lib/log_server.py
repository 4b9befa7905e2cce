#!/usr/bin/env python3
"""Servers of log drivers, strict about their protocols.

    log_server.py syslog|syslog-tls|fluentd|gelf|journald ADDRESS OUTPUT [CERTIFICATE KEY]

ADDRESS is tcp:PORT, udp:PORT, unix:PATH or unixgram:PATH (on loopback). Every message becomes a line of JSON in OUTPUT; what
breaks the protocol becomes a line that begins with BAD. "ready" on standard output says that it listens.
"""
import array
import gzip
import itertools
import json
import os
import re
import socket
import ssl
import struct
import sys
import threading
import zlib

kind, address, output = sys.argv[1:4]
lock = threading.Lock()


def note(text):
    with lock, open(output, 'a') as file:
        file.write(text + '\n')


def accept(message):
    note(json.dumps(message, sort_keys=True))


def bad(reason, data=b''):
    note(f'BAD {reason} {data!r}')


# --- syslog ---

UNIX = re.compile(rb'^<(\d+)>([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) (\S+)\[(\d+)\]: (.*)$', re.S)
RFC3164 = re.compile(rb'^<(\d+)>([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) (\S+) (\S+)\[(\d+)\]: (.*)$', re.S)
RFC5424 = re.compile(rb'^<(\d+)>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?(?:Z|[+-]\d\d:\d\d)) (\S+) (\S+) (\d+) (\S+) - (.*)$', re.S)


def syslog_message(data):
    if not data.endswith(b'\n'):
        return bad('a syslog message ends with a newline', data)
    data = data[:-1]
    match = RFC5424.match(data)
    if match:
        priority, time, host, tag, _, msgid, text = match.groups()
        if tag != msgid:
            return bad('the tag is the message id', data)
        return accept({'form': 'rfc5424micro' if b'.' in time else 'rfc5424', 'priority': int(priority),
                       'host': host.decode(), 'tag': tag.decode(), 'text': text.decode()})
    match = UNIX.match(data)
    if match:
        priority, _, tag, _, text = match.groups()
        return accept({'form': 'unix', 'priority': int(priority), 'tag': tag.decode(), 'text': text.decode()})
    match = RFC3164.match(data)
    if match:
        priority, _, host, tag, _, text = match.groups()
        return accept({'form': 'rfc3164', 'priority': int(priority), 'host': host.decode(), 'tag': tag.decode(),
                       'text': text.decode()})
    bad('not a syslog message', data)


def syslog_stream(stream):
    while True:
        first = stream.read(1)
        if not first:
            return
        if first.isdigit():  # RFC 5425: a length before the message
            digits = first
            while not digits.endswith(b' '):
                byte = stream.read(1)
                if not byte.isdigit() and byte != b' ':
                    return bad('a length is digits', digits + byte)
                digits += byte
            data = stream.read(int(digits))
        else:
            data = first + stream.readline()
        syslog_message(data)


# --- fluentd ---

class Unpacker:
    def __init__(self, stream):
        self.stream = stream

    def take(self, count):
        data = self.stream.read(count)
        if len(data) != count:
            raise EOFError
        return data

    def number(self, form):
        return struct.unpack('>' + form, self.take(struct.calcsize(form)))[0]

    def value(self):
        kind = self.take(1)[0]
        if kind < 0x80:
            return kind
        if kind >= 0xe0:
            return kind - 256
        if kind < 0x90:
            return self.map(kind & 15)
        if kind < 0xa0:
            return [self.value() for _ in range(kind & 15)]
        if kind < 0xc0:
            return self.take(kind & 31).decode()
        numbers = {0xcc: 'B', 0xcd: 'H', 0xce: 'I', 0xcf: 'Q', 0xd0: 'b', 0xd1: 'h', 0xd2: 'i', 0xd3: 'q'}
        texts = {0xd9: 'B', 0xda: 'H', 0xdb: 'I'}
        if kind in numbers:
            return self.number(numbers[kind])
        if kind in texts:
            return self.take(self.number(texts[kind])).decode()
        if kind == 0xdc:
            return [self.value() for _ in range(self.number('H'))]
        if kind == 0xde:
            return self.map(self.number('H'))
        if kind == 0xd7:
            if self.take(1) != b'\0':
                raise ValueError('an event time is of extension type 0')
            return {'seconds': self.number('I'), 'nanoseconds': self.number('I')}
        raise ValueError(f'type {kind:#x}')

    def map(self, count):
        result = {}
        for _ in range(count):
            key = self.value()
            if not isinstance(key, str) or key in result:
                raise ValueError(f'key {key!r}')
            result[key] = self.value()
        return result


connections = itertools.count()


def fluentd_stream(stream, connection):
    number = next(connections)
    unpacker = Unpacker(stream)
    while True:
        try:
            message = unpacker.value()
        except EOFError:
            return
        except ValueError as error:
            return bad(f'msgpack: {error}')
        if not isinstance(message, list) or len(message) != 4 or not isinstance(message[0], str) or \
                not isinstance(message[2], dict) or not isinstance(message[3], dict):
            return bad(f'not a message: {message!r}')
        tag, time, record, option = message
        accept({'tag': tag, 'time': 'sub-second' if isinstance(time, dict) else 'seconds', 'record': record,
                'source_connection': number})
        if 'chunk' in option:
            chunk = option['chunk'].encode()
            connection.sendall(b'\x81\xa3ack' + bytes([0xa0 | len(chunk)] if len(chunk) < 32 else [0xd9, len(chunk)]) + chunk)


# --- gelf ---

chunks = {}


def gelf_message(data, form):
    try:
        message = json.loads(data)
    except ValueError:
        return bad('not JSON', data)
    for field, type_ in (('version', str), ('host', str), ('short_message', str), ('timestamp', float), ('level', int)):
        if not isinstance(message.get(field), type_):
            return bad(f'{field} is wrong', data)
    if message['version'] != '1.1':
        return bad('version', data)
    for field in message:
        if field.startswith('_') and not re.match(r'^_[\w.-]+$', field):
            return bad(f'field {field}', data)
    message['form'] = form
    accept(message)


def gelf_datagram(data):
    form = 'none'
    if data[:2] == b'\x1e\x0f':
        identity, number, count = data[2:10], data[10], data[11]
        if count > 128 or number >= count or len(data) > 1420:
            return bad('chunk', data[:12])
        parts = chunks.setdefault(identity, {})
        parts[number] = data[12:]
        if len(parts) < count:
            return None
        data = b''.join(parts[i] for i in range(count))
        form = 'chunks '
    else:
        form = ''
    if data[:2] == b'\x1f\x8b':
        return gelf_message(gzip.decompress(data), form + 'gzip')
    if data[:1] == b'\x78':
        return gelf_message(zlib.decompress(data), form + 'zlib')
    return gelf_message(data, form + 'none')


def gelf_stream(stream):
    rest = b''
    while True:
        data = stream.read1(65536)
        if not data:
            if rest:
                bad('a message without its NUL', rest)
            return
        *messages, rest = (rest + data).split(b'\0')
        for message in messages:
            gelf_message(message, 'tcp')


# --- journald ---

def journal_entry(data):
    fields, at = {}, 0
    while at < len(data):
        end = data.find(b'\n', at)
        if end < 0:
            return bad('a field without its end', data[at:])
        key, equals, value = data[at:end].partition(b'=')
        at = end + 1
        if not equals:
            length = struct.unpack('<Q', data[at:at + 8])[0]
            value = data[at + 8:at + 8 + length]
            at += 8 + length
            if data[at:at + 1] != b'\n':
                return bad('no newline behind a binary field', data)
            at += 1
        if not re.match(rb'^[A-Z0-9][A-Z0-9_]*$', key):
            return bad('key', key)
        fields[key.decode()] = value.decode(errors='replace')
    accept(fields)


def journal_datagram(server):
    data, control, flags, _ = server.recvmsg(1 << 20, socket.CMSG_SPACE(4))
    for level, type_, payload in control:
        if level == socket.SOL_SOCKET and type_ == socket.SCM_RIGHTS:
            descriptor = array.array('i', payload)[0]
            with os.fdopen(descriptor, 'rb') as file:
                file.seek(0)
                data = file.read()
    journal_entry(data)


# --- sockets ---

def serve_stream(connection):
    stream = connection.makefile('rb')
    try:
        if kind.startswith('syslog'):
            syslog_stream(stream)
        elif kind == 'fluentd':
            fluentd_stream(stream, connection)
        else:
            gelf_stream(stream)
    except (ConnectionError, ssl.SSLError) as error:
        bad(str(error))
    finally:
        stream.close()
        connection.close()


def serve(connection, context):
    try:
        if context:
            connection = context.wrap_socket(connection, server_side=True)
    except (OSError, ssl.SSLError):
        return  # a client that does not trust us
    serve_stream(connection)


network, place = address.split(':', 1)
family = socket.AF_UNIX if network.startswith('unix') else socket.AF_INET
server = socket.socket(family, socket.SOCK_DGRAM if network in ('udp', 'unixgram') else socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(place if family == socket.AF_UNIX else ('127.0.0.1', int(place)))
open(output, 'a').close()
if network in ('udp', 'unixgram'):
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    print('ready', flush=True)
    while True:
        if kind == 'journald':
            journal_datagram(server)
        elif kind == 'gelf':
            gelf_datagram(server.recv(65536))
        else:
            syslog_message(server.recv(65536))
context = None
if kind.endswith('-tls'):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[4], sys.argv[5])
server.listen()
print('ready', flush=True)
while True:
    accepted, _ = server.accept()
    threading.Thread(target=serve, args=(accepted, context), daemon=True).start()
