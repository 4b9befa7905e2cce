#!/usr/bin/env python3
"""A TLS front for a unix socket: tls_proxy.py SOCKET CERTIFICATE KEY CA|- PORT_FILE. With a CA, clients must be known to it."""
import os
import select
import socket
import ssl
import sys
import threading

target, certificate, key, authority, port_file = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
if authority != '-':
    context.load_verify_locations(authority)
    context.verify_mode = ssl.CERT_REQUIRED


def serve(plain):
    """One thread a connection and one reader of it: an SSL object is not for two."""
    plain.settimeout(10)
    try:
        front = context.wrap_socket(plain, server_side=True)
    except (OSError, ssl.SSLError):
        return
    back = socket.socket(socket.AF_UNIX)
    back.connect(target)
    front.setblocking(False)
    sources = [front, back]
    try:
        while back in sources:
            ready = select.select(sources, [], [])[0]
            if front in ready or front.pending():
                try:
                    data = front.recv(65536)
                    if data:
                        back.sendall(data)
                    else:
                        sources.remove(front)
                        back.shutdown(socket.SHUT_WR)
                except ssl.SSLWantReadError:
                    pass
            if back in ready:
                data = back.recv(65536)
                front.settimeout(10)
                if data:
                    front.sendall(data)
                else:
                    sources.remove(back)
                    front.unwrap()
                front.setblocking(False)
    except OSError:
        pass
    front.close()
    back.close()


listener = socket.create_server(('127.0.0.1', 0))
with open(port_file + '.new', 'w', encoding='ascii') as file:
    file.write(str(listener.getsockname()[1]))
os.rename(port_file + '.new', port_file)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
