#!/usr/bin/env python3
"""A registry that misbehaves on purpose: fake_registry.py PORT_FILE LOG_FILE. What it does depends on the repository:

  plain      one image: Docker's manifest, a gzip layer          library/mirrored  the same, for a mirror
  oci        an OCI manifest with a plain and a zstd layer        index             an index of amd64, arm64 and arm images
  cut        breaks every blob off in the middle, unless a range is asked for; cut-whole ignores the range
  slow       sends its layer in small pieces over two seconds     busy              answers blobs with 503 the first time
  wrong      sends other bytes than the digest says               wrong-config, wrong-manifest: the same of those
  token      wants a bearer token                                 denied            refuses with DENIED
"""
import base64, gzip, hashlib, http.server, io, json, subprocess, sys, tarfile, threading, time

DOCKER = 'application/vnd.docker.distribution.manifest.v2+json'
OCI = 'application/vnd.oci.image.manifest.v1+json'
lock, seen = threading.Lock(), set()
blobs, manifests = {}, {}

def digest(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()

def blob(data):
    blobs[digest(data)] = data
    return digest(data)

def layer(name, size=200000):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode='w') as tar:
        info = tarfile.TarInfo('busybox'); data = open('/bin/busybox', 'rb').read()
        info.size, info.mode = len(data), 0o755; tar.addfile(info, io.BytesIO(data))
        info = tarfile.TarInfo('name'); data = name.encode(); info.size = len(data); tar.addfile(info, io.BytesIO(data))
        info = tarfile.TarInfo('noise'); data = hashlib.shake_128(name.encode()).digest(size)
        info.size = len(data); tar.addfile(info, io.BytesIO(data))
    return raw.getvalue()

def config(tars, architecture='amd64', variant=None):
    value = {'architecture': architecture, 'os': 'linux', 'created': '2024-01-01T00:00:00Z', 'config': {'Cmd': ['/busybox', 'cat', '/name']},
             'rootfs': {'type': 'layers', 'diff_ids': [digest(tar) for tar in tars]}}
    if variant:
        value['variant'] = variant
    return json.dumps(value).encode()

def image(repository, tars, packed, media_type=DOCKER, types=None, tag='latest', **platform):
    text = config(tars, **platform)
    oci = media_type == OCI
    body = {'schemaVersion': 2, 'mediaType': media_type,
            'config': {'mediaType': 'application/vnd.oci.image.config.v1+json' if oci else 'application/vnd.docker.container.image.v1+json',
                       'size': len(text), 'digest': blob(text)},
            'layers': [{'mediaType': (types or ['application/vnd.docker.image.rootfs.diff.tar.gzip'] * len(packed))[i],
                        'size': len(data), 'digest': blob(data)} for i, data in enumerate(packed)]}
    data = json.dumps(body).encode()
    for name in (tag, digest(data)):
        manifests[repository, name] = (media_type, data)
    return data

for name in ('plain', 'library/mirrored', 'cut', 'cut-whole', 'busy', 'token', 'wrong', 'wrong-config', 'wrong-manifest'):
    tar = layer(name)
    image(name, [tar], [gzip.compress(tar, 1)])
tar = layer('slow', 3000000)
image('slow', [tar], [gzip.compress(tar, 1)])
first, second = layer('first'), layer('second')
zstd = subprocess.run(['zstd', '-q', '-c'], input=second, stdout=subprocess.PIPE, check=True).stdout
image('oci', [first, second], [first, zstd], OCI, ['application/vnd.oci.image.layer.v1.tar', 'application/vnd.oci.image.layer.v1.tar+zstd'])
entries = []
for architecture, variant in (('arm64', 'v8'), ('amd64', None), ('arm', 'v7')):
    tar = layer(architecture)
    data = image('index', [tar], [gzip.compress(tar, 1)], OCI, ['application/vnd.oci.image.layer.v1.tar+gzip'], tag='x', architecture=architecture, variant=variant)
    platform = {'architecture': architecture, 'os': 'linux'}
    if variant:
        platform['variant'] = variant
    entries.append({'mediaType': OCI, 'digest': digest(data), 'size': len(data), 'platform': platform})
entries.append({'mediaType': OCI, 'digest': entries[0]['digest'], 'size': entries[0]['size'], 'platform': {'architecture': 'unknown', 'os': 'unknown'}})
data = json.dumps({'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.index.v1+json', 'manifests': entries}).encode()
for name in ('latest', digest(data)):
    manifests['index', name] = ('application/vnd.oci.image.index.v1+json', data)

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def answer(self, status, body=b'', **headers):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace('_', '-'), value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def refuse(self, status, code, **headers):
        self.answer(status, json.dumps({'errors': [{'code': code, 'message': code.lower().replace('_', ' ')}]}).encode(), **headers)

    def is_first(self, what):
        with lock:
            return what not in seen and not seen.add(what)

    def do_GET(self):
        with lock:
            log.write(f'{self.command} {self.path} {self.headers.get("Range", "-")}\n'); log.flush()
        path, _, query = self.path.partition('?')
        if path == '/token':
            user = base64.b64decode(self.headers.get('Authorization', 'Basic ').split(' ')[1] or b'').decode()
            if user not in ('', 'user:x'):
                return self.answer(401, json.dumps({'details': 'incorrect username or password'}).encode())
            return self.answer(200, json.dumps({'token': 'for-' + (user or 'nobody'), 'expires_in': 300}).encode())
        if path.startswith('/v1/search'):
            return self.answer(200, json.dumps({'results': [
                {'name': 'few', 'description': 'Not many like it', 'star_count': 3, 'is_official': False},
                {'name': 'many', 'description': 'a ' * 60, 'star_count': 500, 'is_official': True}]}).encode())
        if path == '/v2/':
            return self.answer(200, b'{}')
        repository, kind, name = path[len('/v2/'):].rsplit('/', 2)
        if repository == 'denied':
            return self.refuse(403, 'DENIED')
        if repository == 'token' and self.headers.get('Authorization') != 'Bearer for-user:x':
            return self.refuse(401, 'UNAUTHORIZED', WWW_Authenticate=f'Bearer realm="http://{self.headers["Host"]}/token",service="fake",scope="repository:token:pull"')
        if kind == 'tags':
            return self.answer(200, json.dumps({'name': repository, 'tags': [n for r, n in manifests if r == repository and ':' not in n]}).encode())
        if kind == 'manifests':
            if (repository, name) not in manifests:
                return self.refuse(404, 'MANIFEST_UNKNOWN')
            media_type, data = manifests[repository, name]
            told = digest(data)
            if repository == 'wrong-manifest':
                data += b' '
            return self.answer(200, data, Content_Type=media_type, Docker_Content_Digest=told)
        if name not in blobs:
            return self.refuse(404, 'BLOB_UNKNOWN')
        self.send_blob(repository, name, blobs[name])

    do_HEAD = do_GET

    def send_blob(self, repository, name, data):
        is_layer = len(data) > 10000
        wanted = self.headers.get('Range')
        if repository == 'busy' and is_layer and self.is_first(name):
            return self.answer(503)
        if (repository == 'wrong' and is_layer) or (repository == 'wrong-config' and not is_layer):
            data = bytes([data[0]]) + data[1:-9] + bytes([data[-9] ^ 1]) + data[-8:]
        start = 0
        if wanted and repository != 'cut-whole':
            start = int(wanted.split('=')[1].rstrip('-'))
            self.send_response(206)
            self.send_header('Content-Range', f'bytes {start}-{len(data) - 1}/{len(data)}')
        else:
            self.send_response(200)
        self.send_header('Content-Length', str(len(data) - start))
        self.end_headers()
        if repository.startswith('cut') and is_layer and not wanted:
            self.wfile.write(data[:len(data) // 2])
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
        elif repository == 'slow' and is_layer:
            for at in range(start, len(data), len(data) // 20):
                self.wfile.write(data[at:at + len(data) // 20])
                time.sleep(0.1)
        else:
            self.wfile.write(data[start:])

class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass

log = open(sys.argv[2], 'w')
server = Server(('127.0.0.1', 0), Handler)
with open(sys.argv[1] + '.new', 'w') as file:
    file.write(str(server.server_address[1]))
import os
os.rename(sys.argv[1] + '.new', sys.argv[1])
server.serve_forever()
