#!/usr/bin/python3
"""What the checks share: the clients, and how a container is made, waited for and refused."""
import io
import os
import socket
import sys
import tarfile
import threading
import time
import traceback

import docker
from docker.errors import APIError, ImageNotFound, NotFound
from docker.types import EndpointConfig, Healthcheck, IPAMConfig, IPAMPool, LogConfig, Mount, Ulimit
from docker.utils import kwargs_from_env

api = docker.APIClient(version='1.45', timeout=15, **kwargs_from_env())
client = docker.DockerClient(version='1.45', timeout=15, **kwargs_from_env())
checks = []
LABEL = {'sdk': 'python'}
FOREVER = ['sh', '-c', 'trap "exit 0" TERM; echo ready; while :; do sleep 0.1; done']
MINE = {'label': ['sdk=python']}


def check(function):
    checks.append(function)
    return function


def make(name, command, **options):
    options.setdefault('labels', LABEL)
    return api.create_container('busybox', command, name='sdk-' + name, **options)['Id']


def gone(name):
    try:
        api.remove_container('sdk-' + name, force=True, v=True)
    except NotFound:
        pass


def run(name, command, **options):
    gone(name)
    made = make(name, command, **options)
    api.start(made)
    return made


def until(condition, what):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, 'waited in vain for ' + what
        time.sleep(0.05)


def refused(status, words, call, *arguments, **options):
    try:
        call(*arguments, **options)
    except APIError as error:
        assert error.status_code == status, (error.status_code, error.explanation)
        assert words in error.explanation, error.explanation
    else:
        raise AssertionError('not refused')


def same(is_, wanted):
    assert is_ == wanted, '%r, wanted %r' % (is_, wanted)


def tar_of(name, content):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode='w') as archive:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = len(content), 0o640, 1000000000
        archive.addfile(entry, io.BytesIO(content))
    return data.getvalue()


def members(chunks):
    with tarfile.open(fileobj=io.BytesIO(b''.join(chunks))) as archive:
        return {m.name: archive.extractfile(m).read() if m.isfile() else None for m in archive}
