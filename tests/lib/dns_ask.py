"""Asks 127.0.0.11 one question, or is a server that answers everything and notes what it was asked.

  dns_ask.py NAME TYPE [--tcp] [--edns SIZE]     prints addresses and names, `record TYPE [of LENGTH]` of other kinds,
                                                 `truncated`, or `code N, nothing`
  dns_ask.py serve ADDRESS FILE                  answers at port 53; names that begin with `large` get 2,000 bytes of TXT
"""
import ipaddress
import random
import socket
import struct
import sys
import threading

TYPES = {'A': 1, 'PTR': 12, 'MX': 15, 'TXT': 16, 'AAAA': 28, 'SRV': 33}


def pack_name(name):
    return b''.join(bytes([len(label)]) + label.encode() for label in name.split('.')) + b'\0'


def read_name(data, offset):
    labels, end = [], None
    while data[offset]:
        if data[offset] & 0xc0:
            end = end or offset + 2
            offset = (data[offset] & 0x3f) << 8 | data[offset + 1]
            continue
        labels.append(data[offset + 1:offset + 1 + data[offset]].decode())
        offset += 1 + data[offset]
    return '.'.join(labels), end or offset + 1


def show(data):
    flags, _, answers = struct.unpack('>HHH', data[2:8])
    if flags & 0x0200:
        return ['truncated']
    lines, offset = [], read_name(data, 12)[1] + 4
    for _ in range(answers):
        offset = read_name(data, offset)[1]
        kind, _, _, length = struct.unpack('>HHIH', data[offset:offset + 10])
        value = data[offset + 10:offset + 10 + length]
        if kind in (1, 28):
            lines.append(str(ipaddress.ip_address(value)))
        elif kind == 12:
            lines.append(read_name(data, offset + 10)[0])
        else:
            lines.append(f'record {kind}' + (f' of {length}' if kind == 16 else ''))
        offset += 10 + length
    return lines or [f'code {flags & 15}, nothing']


def ask(name, kind, tcp, edns):
    number = random.randrange(65536)
    query = struct.pack('>HHHHHH', number, 0x0100, 1, 0, 0, 1 if edns else 0) + pack_name(name) + struct.pack('>HH', TYPES[kind], 1)
    if edns:
        query += b'\0' + struct.pack('>HHIH', 41, edns, 0, 0)
    if tcp:
        connection = socket.create_connection(('127.0.0.11', 53), 5)
        connection.sendall(struct.pack('>H', len(query)) + query)
        data = b''
        while len(data) < 2 or len(data) < 2 + struct.unpack('>H', data[:2])[0]:
            data += connection.recv(65536)
        data = data[2:]
    else:
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.settimeout(5)
        client.sendto(query, ('127.0.0.11', 53))
        data = client.recv(65536)
    assert struct.unpack('>H', data[:2])[0] == number
    print('\n'.join(show(data)))


def answer(query, way, note):
    name, end = read_name(query, 12)
    kind = struct.unpack('>H', query[end:end + 2])[0]
    print(name.lower(), kind, way, file=note, flush=True)
    values = {1: b'\1\2\3\4', 28: bytes(16), 12: b'\3far\0', 33: b'\0\1\0\1\0P\3far\0'}
    value = values.get(kind, b'\1x')
    room = 512
    if query[11]:
        room = struct.unpack('>H', query[end + 7:end + 9])[0]
    if name.startswith('large'):
        value = b''.join(b'\xff' + b'x' * 255 for _ in range(7)) + b'\xcf' + b'x' * 207
    reply = query[:2] + b'\x81\x80' + query[4:6] + b'\0\1\0\0\0\0' + query[12:end + 4]
    reply += b'\xc0\x0c' + struct.pack('>HHIH', kind, 1, 1, len(value)) + value
    if way == 'udp' and len(reply) > room:
        reply = query[:2] + b'\x83\x80' + query[4:6] + b'\0\0\0\0\0\0' + query[12:end + 4]
    return reply


def serve(address, path):
    note = open(path, 'a')
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((address, 53))
    tcp = socket.socket()
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tcp.bind((address, 53))
    tcp.listen()

    def serve_tcp():
        while True:
            connection, _ = tcp.accept()
            reply = answer(connection.recv(65536)[2:], 'tcp', note)
            connection.sendall(struct.pack('>H', len(reply)) + reply)
            connection.close()
    threading.Thread(target=serve_tcp, daemon=True).start()
    while True:
        query, client = udp.recvfrom(65536)
        udp.sendto(answer(query, 'udp', note), client)


if sys.argv[1] == 'serve':
    serve(*sys.argv[2:])
else:
    size = int(sys.argv[sys.argv.index('--edns') + 1]) if '--edns' in sys.argv else 0
    ask(sys.argv[1], sys.argv[2], '--tcp' in sys.argv, size)
