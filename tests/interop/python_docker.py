#!/usr/bin/python3
"""Uses every method that the docker package for Python has for a single engine, and checks what comes back.

DOCKER_HOST names the engine, which has an image busybox; what is made is named sdk-… and has the label sdk. Started by `sdk`.
"""
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


# The engine.
@check
def ping():
    same(api.ping(), True)


@check
def version():
    is_ = api.version()
    same((is_['Os'], is_['Components'][0]['Name']), ('linux', 'Engine'))
    same({'Version', 'ApiVersion', 'MinAPIVersion', 'GitCommit', 'GoVersion', 'Arch', 'KernelVersion', 'BuildTime'} - set(is_), set())


@check
def version_is_negotiated():
    auto = docker.APIClient(version='auto', **kwargs_from_env())
    same(auto._version, auto.version(api_version=False)['ApiVersion'])


@check
def info():
    is_ = api.info()
    same((is_['OSType'], is_['Swarm']['LocalNodeState']), ('linux', 'inactive'))
    same(is_['Containers'], is_['ContainersRunning'] + is_['ContainersPaused'] + is_['ContainersStopped'])
    assert 'bridge' in is_['Plugins']['Network'] and 'local' in is_['Plugins']['Volume'] and 'json-file' in is_['Plugins']['Log']
    assert is_['NCPU'] > 0 and is_['MemTotal'] > 0 and 'runc' in is_['Runtimes']


@check
def df():
    is_ = api.df()
    same(sorted(set(is_) - {'BuilderSize', 'ImageUsage'}), ['BuildCache', 'Containers', 'Images', 'LayersSize', 'Volumes'])
    assert is_['LayersSize'] > 100000 and any('busybox:latest' in i['RepoTags'] for i in is_['Images'])


@check
def login_without_a_registry():
    refused(500, 'dial tcp', api.login, 'me', 'secret', registry='127.0.0.1:1', reauth=True)


@check
def events():
    before = time.time() - 1
    gone('events')
    made = make('events', ['true'])
    api.start(made)
    api.wait(made)
    api.remove_container(made)
    time.sleep(1)
    seen = list(api.events(since=int(before), until=int(time.time()) + 1, decode=True, filters={'container': made}))
    same([e['Action'] for e in seen if e['Type'] == 'container'], ['create', 'start', 'die', 'destroy'])
    die = [e for e in seen if e['Action'] == 'die'][0]
    attributes = die['Actor']['Attributes']
    same((attributes['exitCode'], attributes['name'], attributes['image'], attributes['sdk']), ('0', 'sdk-events', 'busybox', 'python'))
    same((die['id'], die['status'], die['from'], die['scope']), (made, 'die', 'busybox', 'local'))


@check
def events_live():
    stream = api.events(decode=True, filters={'event': 'create', 'label': 'sdk=python', 'type': 'container'})
    gone('live')
    made = make('live', ['true'])
    same(next(stream)['id'], made)
    stream.close()
    gone('live')


# Containers.
@check
def create_container_with_all_options():
    gone('all')
    api.create_volume('sdk-all', labels=LABEL)
    host = api.create_host_config(
        binds={'sdk-all': {'bind': '/data', 'mode': 'ro'}}, blkio_weight=None, cap_add=['NET_ADMIN'], cap_drop=['MKNOD'], cpu_period=100000,
        cpu_quota=50000, cpu_shares=512, cpuset_cpus='0', devices=['/dev/zero:/dev/nought:r'], dns=['10.0.0.1'], dns_opt=['ndots:2'],
        dns_search=['example.test'], extra_hosts={'other': '10.0.0.2'}, group_add=['wheel'], init=True, ipc_mode='private',
        log_config=LogConfig(type='json-file', config={'max-size': '1m'}), mem_limit='64m', mem_reservation='32m', memswap_limit='128m',
        mounts=[Mount('/scratch', None, type='tmpfs', tmpfs_size=65536)], network_mode='bridge', oom_score_adj=100, pid_mode=None,
        pids_limit=50, port_bindings={'80/tcp': ('127.0.0.1', 48080)}, read_only=True, restart_policy={'Name': 'on-failure', 'MaximumRetryCount': 2},
        security_opt=['no-new-privileges'], shm_size='1m', sysctls={'net.ipv4.ip_forward': '0'}, tmpfs={'/run': 'size=1m'},
        ulimits=[Ulimit(name='nofile', soft=100, hard=200)])
    made = api.create_container(
        'busybox', ['sh', '-c', 'echo $A; id -G; hostname; ulimit -n; cat /etc/resolv.conf'], hostname='here', user='nobody', detach=True,
        ports=[80], environment={'A': 'b'}, volumes=['/data'], name='sdk-all', working_dir='/tmp', domainname='example.test',
        host_config=host, labels=LABEL, stop_signal='SIGINT', stop_timeout=3,
        healthcheck=Healthcheck(test=['CMD', 'true'], interval=10 ** 10, timeout=10 ** 9, retries=3))
    same(made['Warnings'], [])
    api.start(made)
    same(api.wait(made)['StatusCode'], 0)
    out = api.logs(made).decode().split('\n')
    same(out[0], 'b')
    same(set(out[1].split()), {'65534', '10'})
    same(out[2:4], ['here', '100'])
    assert 'nameserver 10.0.0.1' in out and 'search example.test' in out and 'options ndots:2' in out, out


@check
def inspect_container():
    is_ = api.inspect_container('sdk-all')
    host, config = is_['HostConfig'], is_['Config']
    same((is_['Name'], is_['State']['Status'], is_['RestartCount'], is_['Driver'] != ''), ('/sdk-all', 'exited', 0, True))
    same((config['Hostname'], config['Domainname'], config['User'], config['StopSignal'], config['StopTimeout']), ('here', 'example.test', 'nobody', 'SIGINT', 3))
    same((config['ExposedPorts'], config['Volumes'], config['WorkingDir'], config['Labels']), ({'80/tcp': {}}, {'/data': {}}, '/tmp', LABEL))
    same(config['Healthcheck'], {'Test': ['CMD', 'true'], 'Interval': 10 ** 10, 'Timeout': 10 ** 9, 'Retries': 3})
    same((host['Binds'], host['CapAdd'], host['CapDrop']), (['sdk-all:/data:ro'], ['NET_ADMIN'], ['MKNOD']))
    same((host['CpuPeriod'], host['CpuQuota'], host['CpuShares'], host['CpusetCpus']), (100000, 50000, 512, '0'))
    same((host['Memory'], host['MemoryReservation'], host['MemorySwap'], host['PidsLimit']), (67108864, 33554432, 134217728, 50))
    same(host['Devices'], [{'PathOnHost': '/dev/zero', 'PathInContainer': '/dev/nought', 'CgroupPermissions': 'r'}])
    same((host['Dns'], host['DnsOptions'], host['DnsSearch'], host['ExtraHosts']), (['10.0.0.1'], ['ndots:2'], ['example.test'], ['other:10.0.0.2']))
    same((host['GroupAdd'], host['Init'], host['IpcMode'], host['ReadonlyRootfs'], host['ShmSize']), (['wheel'], True, 'private', True, 1048576))
    same(host['LogConfig'], {'Type': 'json-file', 'Config': {'max-size': '1m'}})
    same(host['Mounts'], [{'Type': 'tmpfs', 'Target': '/scratch', 'TmpfsOptions': {'SizeBytes': 65536}}])
    same(host['PortBindings'], {'80/tcp': [{'HostIp': '127.0.0.1', 'HostPort': '48080'}]})
    same((host['RestartPolicy'], host['SecurityOpt']), ({'Name': 'on-failure', 'MaximumRetryCount': 2}, ['no-new-privileges']))
    same((host['Sysctls'], host['Tmpfs']), ({'net.ipv4.ip_forward': '0'}, {'/run': 'size=1m'}))
    same(host['Ulimits'], [{'Name': 'nofile', 'Hard': 200, 'Soft': 100}])
    same(sorted((m['Type'], m['Destination'], m['RW'], m['Mode']) for m in is_['Mounts']), [('tmpfs', '/scratch', True, ''), ('volume', '/data', False, 'ro')])
    refused(404, 'No such container: sdk-none', api.inspect_container, 'sdk-none')


@check
def create_container_refused():
    refused(404, 'No such image: none:latest', api.create_container, 'none', ['true'])
    refused(409, 'The container name "/sdk-all" is already in use by container', make, 'all', ['true'])
    refused(400, 'Invalid container name (-bad)', api.create_container, 'busybox', ['true'], name='-bad')


@check
def remove_container():
    run('up', FOREVER)
    refused(409, 'container is running: stop the container before removing or force remove', api.remove_container, 'sdk-up')
    api.remove_container('sdk-up', force=True)
    refused(404, 'No such container: sdk-up', api.remove_container, 'sdk-up')
    gone('all')
    api.remove_volume('sdk-all')


@check
def start_and_stop():
    made = run('stop', FOREVER)
    until(lambda: b'ready' in api.logs(made), 'the trap')
    api.start(made)  # not modified: no error
    api.stop(made, timeout=20)
    state = api.inspect_container(made)['State']
    same((state['Status'], state['ExitCode'], state['Running'], state['Pid']), ('exited', 0, False, 0))
    api.stop(made)


@check
def restart():
    first = api.inspect_container('sdk-stop')['State']['StartedAt']
    api.restart('sdk-stop', timeout=20)
    state = api.inspect_container('sdk-stop')['State']
    assert state['Running'] and state['StartedAt'] != first


@check
def pause_and_unpause():
    api.pause('sdk-stop')
    same(api.inspect_container('sdk-stop')['State']['Status'], 'paused')
    refused(409, 'is already paused', api.pause, 'sdk-stop')
    same([c['State'] for c in api.containers(filters={'name': 'sdk-stop', 'status': 'paused'})], ['paused'])
    api.unpause('sdk-stop')
    refused(500, 'is not paused', api.unpause, 'sdk-stop')


@check
def kill():
    api.kill('sdk-stop', 'SIGKILL')
    same(api.wait('sdk-stop'), {'StatusCode': 137})
    refused(409, 'is not running', api.kill, 'sdk-stop')
    refused(400, 'invalid signal: NONE', api.kill, 'sdk-stop', 'NONE')


@check
def rename():
    api.rename('sdk-stop', 'sdk-renamed')
    same(api.inspect_container('sdk-renamed')['Name'], '/sdk-renamed')
    refused(404, 'No such container: sdk-stop', api.rename, 'sdk-stop', 'sdk-other')
    gone('renamed')


@check
def update_container():
    made = run('update', FOREVER)
    same(api.update_container(made, mem_limit='96m', memswap_limit='96m', cpu_shares=256, restart_policy={'Name': 'always'}), {'Warnings': None})
    host = api.inspect_container(made)['HostConfig']
    same((host['Memory'], host['MemorySwap'], host['CpuShares'], host['RestartPolicy']), (100663296, 100663296, 256, {'Name': 'always', 'MaximumRetryCount': 0}))
    gone('update')


@check
def wait_conditions():
    gone('wait')
    made = make('wait', ['sh', '-c', 'exit 7'], host_config=api.create_host_config(auto_remove=True))
    results = {}

    def waits(condition):
        results[condition] = docker.APIClient(version='1.45', **kwargs_from_env()).wait(made, condition=condition)
    threads = [threading.Thread(target=waits, args=(c,)) for c in ('next-exit', 'removed')]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    api.start(made)
    for thread in threads:
        thread.join(30)
    same(results, {'next-exit': {'StatusCode': 7}, 'removed': {'StatusCode': 7}})
    gone('wait')
    made = make('wait', ['true'])
    same(api.wait(made, condition='not-running'), {'StatusCode': 0})
    refused(400, 'invalid condition: "bogus"', api.wait, made, condition='bogus')
    gone('wait')


@check
def logs():
    made = run('logs', ['sh', '-c', 'echo one; echo two >&2; sleep 0.2; echo three'])
    api.wait(made)
    same(sorted(api.logs(made).splitlines()), [b'one', b'three', b'two'])
    same(api.logs(made, stderr=False), b'one\nthree\n')
    same(api.logs(made, stdout=False), b'two\n')
    same(api.logs(made, tail=1), b'three\n')
    same(api.logs(made, tail=0), b'')
    stamp = api.logs(made, tail=1, timestamps=True).split()
    assert stamp[0].endswith(b'Z') and stamp[1] == b'three', stamp
    same(api.logs(made, since=int(time.time()) + 100), b'')
    same(api.logs(made, until=1), b'')
    same(b''.join(api.logs(made, stream=True, stderr=False)), b'one\nthree\n')


@check
def logs_follow():
    made = run('logs', ['sh', '-c', 'for i in 1 2 3; do echo $i; sleep 0.1; done'])
    same(b''.join(api.logs(made, stream=True, follow=True)), b'1\n2\n3\n')
    gone('logs')


@check
def logs_of_a_terminal():
    made = run('logs', ['echo', 'tty'], tty=True)
    api.wait(made)
    same(api.logs(made), b'tty\r\n')
    gone('logs')


@check
def stats():
    made = run('stats', FOREVER)
    is_ = api.stats(made, stream=False)
    same((is_['name'], is_['id']), ('/sdk-stats', made))
    assert is_['cpu_stats']['cpu_usage']['total_usage'] > 0 and is_['memory_stats']['usage'] > 0 and is_['pids_stats']['current'] >= 1
    assert is_['precpu_stats']['system_cpu_usage'] > 0 and 'eth0' in is_['networks']
    stream = api.stats(made, decode=True)
    first, second = next(stream), next(stream)
    same(second['precpu_stats']['cpu_usage'], first['cpu_stats']['cpu_usage'])
    stream.close()


@check
def stats_of_a_stopped_container():
    gone('idle')
    made = make('idle', ['true'])
    is_ = api.stats(made, stream=False)
    same((is_['read'], is_['pids_stats'], is_['memory_stats'], is_['name']), ('0001-01-01T00:00:00Z', {}, {}, '/sdk-idle'))
    gone('idle')


@check
def top():
    try:
        is_ = api.top('sdk-stats')
    except APIError as error:  # Docker asks the ps of its host
        assert 'exec: "ps": executable file not found in $PATH' in error.explanation and 'DOCKER_PEER' in os.environ, error
        return
    same(is_['Titles'], ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'])
    assert any('trap' in p[-1] for p in is_['Processes'])
    same(api.top('sdk-stats', ps_args='-o pid,comm')['Titles'], ['PID', 'COMMAND'])
    gone('idle')
    make('idle', ['true'])
    refused(409, 'is not running', api.top, 'sdk-idle')
    gone('idle')


@check
def containers():
    made = api.inspect_container('sdk-stats')['Id']
    listed = [c for c in api.containers(filters=MINE) if c['Id'] == made][0]
    same((listed['Names'], listed['Image'], listed['State'], listed['Labels']), (['/sdk-stats'], 'busybox', 'running', LABEL))
    assert listed['Status'].startswith('Up ') and listed['HostConfig'] == {'NetworkMode': 'bridge'} and listed['Mounts'] == [], listed
    assert 'SizeRootFs' not in listed and api.containers(size=True, filters={'id': made})[0]['SizeRootFs'] > 0
    gone('idle')
    make('idle', ['true'])
    names = lambda **options: sorted(c['Names'][0] for c in api.containers(**options))  # noqa: E731
    same(names(all=True, filters=MINE), ['/sdk-idle', '/sdk-stats'])
    same(names(all=True, limit=1, filters=MINE), ['/sdk-idle'])
    same(names(filters={'status': 'created', **MINE}), ['/sdk-idle'])
    same(names(filters={'ancestor': 'busybox', **MINE}), ['/sdk-stats'])
    same(names(all=True, filters={'since': 'sdk-stats', **MINE}), ['/sdk-idle'])
    same(names(all=True, filters={'before': 'sdk-idle', **MINE}), ['/sdk-stats'])
    # The parameters of that name are from before 1.22.
    same(names(all=True, since='sdk-stats', before='sdk-idle', filters=MINE), ['/sdk-idle', '/sdk-stats'])
    same(names(all=True, filters={'name': '^/sdk-i', **MINE}), ['/sdk-idle'])
    same(names(all=True, filters={'network': 'bridge', **MINE}), ['/sdk-idle', '/sdk-stats'])
    same(names(all=True, filters={'exited': '0', **MINE}), [])
    same(api.containers(quiet=True, filters=MINE), [{'Id': made}])
    refused(400, "invalid filter 'bogus'", api.containers, filters={'bogus': 'x'})
    gone('idle')


@check
def attach():
    made = run('attach', ['sh', '-c', 'read x; echo got $x; echo bad >&2'], stdin_open=True)
    sock = api.attach_socket(made, params={'stdin': 1, 'stdout': 1, 'stderr': 1, 'stream': 1})
    sock._sock.sendall(b'word\n')
    got = b''
    while True:
        more = sock._sock.recv(4096)
        if not more:
            break
        got += more
    sock.close()
    assert b'\1\0\0\0\0\0\0\x09got word\n' in got and b'\2\0\0\0\0\0\0\4bad\n' in got, got
    same(api.wait(made), {'StatusCode': 0})
    gone('attach')


@check
def attach_demultiplexed():
    gone('attach')
    made = make('attach', ['sh', '-c', 'echo out; sleep 0.2; echo err >&2'])
    stream = api.attach(made, stream=True, demux=True)
    api.start(made)
    same(list(stream), [(b'out\n', None), (None, b'err\n')])
    gone('attach')


@check
def attach_a_terminal_and_resize():
    made = run('attach', ['sh', '-c', 'read x; stty size'], stdin_open=True, tty=True)
    sock = api.attach_socket(made, params={'stdin': 1, 'stdout': 1, 'stream': 1})
    api.resize(made, height=33, width=111)
    sock._sock.sendall(b'\n')
    got = b''
    while True:
        more = sock._sock.recv(4096)
        if not more:
            break
        got += more
    sock.close()
    assert got.endswith(b'33 111\r\n'), got
    gone('attach')


# Exec.
@check
def exec_create_and_start():
    made = api.exec_create('sdk-stats', ['sh', '-c', 'echo $E; pwd; id -u; echo bad >&2; exit 3'], environment={'E': 'f'}, workdir='/tmp', user='nobody')['Id']
    before = api.exec_inspect(made)
    same((before['Running'], before['ExitCode'], before['Pid'], before['CanRemove']), (False, None, 0, False))
    out, err = api.exec_start(made, demux=True)
    same((out, err), (b'f\n/tmp\n65534\n', b'bad\n'))


@check
def exec_inspect():
    made = api.exec_create('sdk-stats', 'sh -c "exit 3"', privileged=True, detach_keys='ctrl-a')['Id']
    api.exec_start(made)
    until(lambda: not api.exec_inspect(made)['Running'], 'the end of exec')
    is_ = api.exec_inspect(made)
    same((is_['ID'], is_['ExitCode'], is_['OpenStdin'], is_['OpenStdout'], is_['ContainerID']), (made, 3, False, True, api.inspect_container('sdk-stats')['Id']))
    same((is_['ProcessConfig']['entrypoint'], is_['ProcessConfig']['arguments'], is_['ProcessConfig']['privileged'], is_['ProcessConfig']['tty']), ('sh', ['-c', 'exit 3'], True, False))
    refused(404, 'No such exec instance: none', api.exec_inspect, 'none')


@check
def exec_socket():
    made = api.exec_create('sdk-stats', ['cat'], stdin=True)['Id']
    sock = api.exec_start(made, socket=True)
    sock._sock.sendall(b'through\n')
    sock._sock.shutdown(socket.SHUT_WR)
    got = b''
    while True:
        more = sock._sock.recv(4096)
        if not more:
            break
        got += more
    sock.close()
    same(got, b'\1\0\0\0\0\0\0\x08through\n')


@check
def exec_stream_and_detach():
    made = api.exec_create('sdk-stats', ['sh', '-c', 'echo a; sleep 0.1; echo b'])['Id']
    same(b''.join(api.exec_start(made, stream=True)), b'a\nb\n')
    made = api.exec_create('sdk-stats', ['sh', '-c', 'echo x >/tmp/detached'])['Id']
    same(api.exec_start(made, detach=True), '')
    until(lambda: api.exec_inspect(made)['ExitCode'] == 0, 'the detached exec')


@check
def exec_resize():
    made = api.exec_create('sdk-stats', ['sh', '-c', 'read x; stty size'], stdin=True, tty=True)['Id']
    sock = api.exec_start(made, socket=True, tty=True)
    api.exec_resize(made, height=44, width=122)
    sock._sock.sendall(b'\n')
    got = b''
    while True:
        more = sock._sock.recv(4096)
        if not more:
            break
        got += more
    sock.close()
    assert got.endswith(b'44 122\r\n'), got


@check
def exec_refused():
    refused(400, 'No exec command specified', api.exec_create, 'sdk-stats', [])
    refused(404, 'No such container: sdk-none', api.exec_create, 'sdk-none', ['true'])
    made = api.exec_create('sdk-stats', ['none'])['Id']
    same(api.exec_inspect(made)['ExitCode'], None)
    try:
        said = api.exec_start(made).decode()
    except APIError as error:
        said = error.explanation
    assert 'executable file not found in $PATH' in said, said
    until(lambda: api.exec_inspect(made)['ExitCode'] is not None, 'its exit code')
    same(api.exec_inspect(made)['ExitCode'], 126)


# Files.
@check
def put_archive():
    same(api.put_archive('sdk-stats', '/etc', tar_of('put', b'content')), True)
    same(client.containers.get('sdk-stats').exec_run(['stat', '-c', '%a %Y', '/etc/put']).output, b'640 1000000000\n')
    refused(404, 'Could not find the file /none in container', api.put_archive, 'sdk-stats', '/none', tar_of('a', b''))


@check
def get_archive():
    chunks, stat = api.get_archive('sdk-stats', '/etc/put')
    same((stat['name'], stat['size'], stat['mode'], stat['linkTarget']), ('put', 7, 0o640, ''))
    same(members(chunks), {'put': b'content'})
    chunks, stat = api.get_archive('sdk-stats', '/etc/.', encode_stream=True)
    assert members(chunks)['./put'] == b'content'
    refused(404, 'Could not find the file /none in container', api.get_archive, 'sdk-stats', '/none')


@check
def diff():
    is_ = {c['Path']: c['Kind'] for c in api.diff('sdk-stats')}
    same((is_['/etc'], is_['/etc/put'], is_['/tmp/detached']), (0, 1, 1))


@check
def export():
    is_ = members(api.export('sdk-stats'))
    same((is_['etc/put'], '.dockerenv' in is_), (b'content', True))


@check
def commit():
    made = api.commit('sdk-stats', repository='sdk-commit', tag='one', message='why', author='me', changes=['ENV C=d', 'CMD ["ls"]'],
                      conf={'Labels': {'sdk': 'python', 'l': 'm'}})['Id']
    is_ = api.inspect_image('sdk-commit:one')
    same((is_['Id'], is_['Comment'], is_['Author'], is_['Config']['Cmd'], is_['RepoTags']), (made, 'why', 'me', ['ls'], ['sdk-commit:one']))
    assert 'C=d' in is_['Config']['Env'] and is_['Config']['Labels'].get('l') == 'm', is_['Config']


@check
def container_port():
    gone('port')
    run('port', FOREVER, ports=[80], host_config=api.create_host_config(port_bindings={80: ('127.0.0.1', None)}))
    is_ = api.port('sdk-port', 80)
    same((len(is_), is_[0]['HostIp'], int(is_[0]['HostPort']) > 0), (1, '127.0.0.1', True))
    listed = api.containers(filters={'name': 'sdk-port'})[0]['Ports']
    same(listed, [{'IP': '127.0.0.1', 'PrivatePort': 80, 'PublicPort': int(is_[0]['HostPort']), 'Type': 'tcp'}])
    gone('port')


@check
def prune_containers():
    gone('stats')
    gone('idle')
    made = make('idle', ['true'])
    same(api.prune_containers(filters=MINE), {'ContainersDeleted': [made], 'SpaceReclaimed': 0})
    same(api.prune_containers(filters=MINE), {'ContainersDeleted': None, 'SpaceReclaimed': 0})
    refused(400, "invalid filter 'bogus'", api.prune_containers, filters={'bogus': 'x'})


@check
def high_level_run():
    same(client.containers.run('busybox', ['echo', 'hello'], remove=True, labels=LABEL), b'hello\n')
    try:
        client.containers.run('busybox', ['sh', '-c', 'echo bad >&2; exit 4'], remove=True, labels=LABEL)
    except docker.errors.ContainerError as error:
        same((error.exit_status, error.stderr), (4, b'bad\n'))
    else:
        raise AssertionError('no error')
    made = client.containers.run('busybox', FOREVER, name='sdk-high', detach=True, labels=LABEL)
    same((made.status, made.name), ('created', 'sdk-high'))
    made.reload()
    same((made.status, made.image.tags), ('running', ['busybox:latest']))
    same(made.exec_run('echo in').output, b'in\n')
    made.remove(force=True)


# Images.
@check
def images():
    is_ = [i for i in api.images('sdk-commit')]
    same([i['RepoTags'] for i in is_], [['sdk-commit:one']])
    same((is_[0]['Containers'], is_[0]['SharedSize'], is_[0]['Labels'].get('l'), is_[0]['RepoDigests']), (-1, -1, 'm', []))
    same(api.images('sdk-commit', quiet=True), [is_[0]['Id']])
    same(len(api.images(filters={'label': 'l=m'})), 1)
    same(api.images(filters={'dangling': True, 'label': 'l=m'}), [])
    same([i['Id'] for i in api.images(filters={'since': 'busybox', 'reference': 'sdk-*'})], [is_[0]['Id']])
    refused(400, "invalid filter 'bogus'", api.images, filters={'bogus': 'x'})


@check
def inspect_image():
    is_ = api.inspect_image('busybox')
    same((is_['RepoTags'], is_['Os'], is_['RootFS']['Type'], len(is_['RootFS']['Layers'])), (['busybox:latest'], 'linux', 'layers', 1))
    refused(404, 'No such image: none:latest', api.inspect_image, 'none')
    try:
        client.images.get('none')
    except ImageNotFound:
        pass
    else:
        raise AssertionError('found')


@check
def history():
    is_ = api.history('sdk-commit:one')
    same([sorted(h) for h in is_], [['Comment', 'Created', 'CreatedBy', 'Id', 'Size', 'Tags']] * 2)
    same((is_[0]['Comment'], is_[0]['Tags'], is_[1]['Tags'] in (None, ['busybox:latest'])), ('why', ['sdk-commit:one'], True))


@check
def tag():
    same(api.tag('sdk-commit:one', 'sdk-commit', 'two'), True)
    same(sorted(api.inspect_image('sdk-commit:two')['RepoTags']), ['sdk-commit:one', 'sdk-commit:two'])
    refused(404, 'No such image: none:latest', api.tag, 'none', 'sdk-x')
    refused(400, 'invalid tag format', api.tag, 'busybox', 'sdk-x', 'a b')


@check
def get_image_and_load_image():
    saved = b''.join(api.get_image('sdk-commit:one'))
    with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
        assert 'manifest.json' in archive.getnames() and 'index.json' in archive.getnames(), archive.getnames()
    before = api.inspect_image('sdk-commit:one')['Id']
    api.remove_image('sdk-commit:two')
    api.remove_image('sdk-commit:one')
    said = ''.join(line.get('stream', '') for line in api.load_image(saved))
    same(said, 'Loaded image: sdk-commit:one\n')
    same(api.inspect_image('sdk-commit:one')['Id'], before)
    refused(404, 'No such image: none', lambda: list(api.get_image('none')))


@check
def import_image():
    said = api.import_image_from_data(tar_of('file', b'in an image'), repository='sdk-import', tag='one', changes=['CMD ["/file"]'])
    assert 'sha256:' in said, said
    is_ = api.inspect_image('sdk-import:one')
    same((is_['Config']['Cmd'], is_['Comment'] != '', len(is_['RootFS']['Layers'])), (['/file'], True, 1))


@check
def import_image_in_every_way():
    # import_image_from_stream says a length and chunks at once: no server takes that.
    path = '/tmp/sdk-import-%d.tar' % os.getpid()
    with open(path, 'wb') as archive:
        archive.write(tar_of('file', b'in a file'))
    try:
        assert 'sha256:' in api.import_image_from_file(path, repository='sdk-import', tag='file')
        assert 'sha256:' in api.import_image(path, repository='sdk-import', tag='any')
    finally:
        os.unlink(path)
    ids = {tag: api.inspect_image('sdk-import:' + tag)['RootFS']['Layers'] for tag in ('file', 'any')}
    same(ids['file'], ids['any'])
    refused(500, 'dial tcp 127.0.0.1:1: connect: connection refused', api.import_image_from_url, 'http://127.0.0.1:1/x.tar', 'sdk-import')
    for tag in ids:
        api.remove_image('sdk-import:' + tag)


@check
def high_level_containers():
    client.containers.prune(filters=MINE)
    made = client.containers.create('busybox', FOREVER, name='sdk-high', labels=LABEL, environment=['A=b'], tty=True, ports={'80/tcp': None})
    same((made.status, made.labels, made.short_id, made.ports), ('created', LABEL, made.id[:len(made.short_id)], {}))
    made.start()
    made.reload()
    same((made.status, made.attrs['Config']['Env'], list(made.ports)), ('running', ['A=b'], ['80/tcp']))
    until(lambda: made.logs() == b'ready\r\n', 'a line')
    same(made.exec_run('sh -c "exit 3"').exit_code, 3)
    same(made.exec_run(['sh', '-c', 'echo out; echo bad >&2'], demux=True).output, (b'out\n', b'bad\n'))
    same(b''.join(made.exec_run('echo streamed', stream=True).output), b'streamed\n')
    made.pause()
    made.reload()
    same(made.status, 'paused')
    made.unpause()
    made.rename('sdk-higher')
    made.resize(20, 70)
    made.update(cpu_shares=300)
    made.reload()
    same((made.name, made.attrs['HostConfig']['CpuShares']), ('sdk-higher', 300))
    assert made.put_archive('/tmp', tar_of('put', b'content'))
    stream, stat = made.get_archive('/tmp/put')
    same((b'content' in b''.join(stream), stat['size']), (True, 7))
    assert {'Path': '/tmp/put', 'Kind': 1} in made.diff()
    assert len(b''.join(made.export())) > 10000
    assert made.stats(stream=False)['id'] == made.id
    same(made.commit('sdk-higher', 'one').tags, ['sdk-higher:one'])
    same([c.name for c in client.containers.list(filters=MINE)], ['sdk-higher'])
    same([c.id for c in client.containers.list(all=True, sparse=True, filters=MINE)], [made.id])
    same(client.containers.get('sdk-higher').image.id, client.images.get('busybox').id)
    made.restart(timeout=0)
    made.kill('SIGUSR2')
    made.stop(timeout=1)
    assert made.wait()['StatusCode'] in (0, 143)
    made.remove(v=True)
    try:
        client.containers.get('sdk-higher')
    except NotFound:
        pass
    else:
        raise AssertionError('it is still there')
    client.images.remove('sdk-higher:one')


@check
def high_level_images_volumes_and_networks():
    box = client.images.get('busybox')
    assert box.short_id.startswith('sha256:') and box.tags == ['busybox:latest'] and box.labels == {}, box.attrs
    same(len(box.history()), 1)
    assert box.tag('sdk-high', 'one')
    box.reload()
    same(sorted(box.tags), ['busybox:latest', 'sdk-high:one'])
    same([i.id for i in client.images.list('sdk-high')], [box.id])
    saved = b''.join(box.save(named='sdk-high:one'))
    client.images.remove('sdk-high:one')
    same([i.tags for i in client.images.load(saved)][0].count('sdk-high:one'), 1)
    client.images.remove('sdk-high:one')
    volume = client.volumes.create('sdk-high', labels=LABEL)
    same((volume.name, volume.id, client.volumes.get('sdk-high').attrs['Driver']), ('sdk-high', 'sdk-high', 'local'))
    same([v.name for v in client.volumes.list(filters=MINE)], ['sdk-high'])
    volume.reload()
    volume.remove()
    network = client.networks.create('sdk-high', labels=LABEL)
    made = client.containers.run('busybox', FOREVER, name='sdk-high', detach=True, labels=LABEL, network='sdk-high')
    network.reload()
    same([c.name for c in network.containers], ['sdk-high'])
    network.disconnect(made)
    network.connect(made, aliases=['alias'])
    made.remove(force=True)
    same([n.name for n in client.networks.list(filters=MINE)], ['sdk-high'])
    network.remove()
    assert client.ping() and client.version()['ApiVersion'] and client.info()['ID'] and client.df()['LayersSize'] > 0
    same(list(client.events(since=1, until=2)), [])


@check
def remove_image():
    same(api.remove_image('sdk-import:one')[0], {'Untagged': 'sdk-import:one'})
    refused(404, 'No such image: sdk-import:one', api.remove_image, 'sdk-import:one')
    gone('uses')
    make('uses', ['true'])
    refused(409, 'conflict: unable to remove repository reference "busybox" (must force) - container', api.remove_image, 'busybox')
    gone('uses')


@check
def prune_images():
    api.remove_image('sdk-commit:one')
    gone('stats')
    made = make('dangling', ['true'])
    image = api.commit(made, changes=['LABEL sdk=python'])['Id']
    gone('dangling')
    is_ = api.prune_images(filters={'dangling': True, **MINE})
    assert {'Deleted': image} in is_['ImagesDeleted'], is_
    same(api.prune_images(filters=MINE), {'ImagesDeleted': None, 'SpaceReclaimed': 0})


@check
def search_offline():
    refused(400, 'invalid registry endpoint "http://127.0.0.1:1/v1/". HTTPS attempt: Get "https://127.0.0.1:1/v1/_ping": dial tcp '
            '127.0.0.1:1: connect: connection refused. HTTP attempt: Get "http://127.0.0.1:1/v1/_ping"', api.search, '127.0.0.1:1/x')


@check
def pull_and_push_offline():
    refused(500, 'dial tcp', api.pull, '127.0.0.1:1/x', tag='one')
    api.tag('busybox', '127.0.0.1:1/x', 'one')
    said = list(api.push('127.0.0.1:1/x', tag='one', stream=True, decode=True))
    assert said[0]['status'].startswith('The push refers to repository [127.0.0.1:1/x]') and 'connection refused' in said[-1]['error'], said
    api.remove_image('127.0.0.1:1/x:one')
    refused(500, 'connection refused', api.inspect_distribution, '127.0.0.1:1/x:one')


# Volumes.
@check
def volumes():
    api.create_volume('sdk-volume', driver='local', labels=LABEL)
    is_ = api.inspect_volume('sdk-volume')
    same((is_['Name'], is_['Driver'], is_['Labels'], is_['Options'], is_['Scope']), ('sdk-volume', 'local', LABEL, None, 'local'))
    same([v['Name'] for v in api.volumes(filters=MINE)['Volumes']], ['sdk-volume'])
    same(api.volumes(filters={'name': 'sdk-none'}), {'Volumes': [], 'Warnings': None})
    run('volume', ['true'], host_config=api.create_host_config(binds=['sdk-volume:/v']), volumes=['/v'])
    api.wait('sdk-volume')
    refused(409, 'volume is in use - [', api.remove_volume, 'sdk-volume')
    gone('volume')
    same([v['Name'] for v in api.volumes(filters={'dangling': True, **MINE})['Volumes']], ['sdk-volume'])


@check
def volumes_removed_and_pruned():
    api.remove_volume('sdk-volume')
    refused(404, 'get sdk-volume: no such volume', api.inspect_volume, 'sdk-volume')
    refused(404, 'get sdk-volume: no such volume', api.remove_volume, 'sdk-volume')
    api.create_volume('sdk-pruned', labels=LABEL)
    same(api.prune_volumes(filters={'all': True, **MINE}), {'VolumesDeleted': ['sdk-pruned'], 'SpaceReclaimed': 0})
    same(api.prune_volumes(filters=MINE), {'VolumesDeleted': [], 'SpaceReclaimed': 0})
    refused(400, 'includes invalid characters for a local volume name', api.create_volume, 'sdk bad')


# Networks.
@check
def create_network():
    made = api.create_network('sdk-net', driver='bridge', labels=LABEL, check_duplicate=True, attachable=True, options={'com.docker.network.bridge.enable_icc': 'true'},
                              ipam=IPAMConfig(pool_configs=[IPAMPool(subnet='10.199.0.0/24', gateway='10.199.0.9', iprange='10.199.0.128/25')]))
    same((made['Warning'], len(made['Id'])), ('', 64))
    is_ = api.inspect_network('sdk-net', verbose=True)
    same((is_['Id'], is_['Driver'], is_['Scope'], is_['Attachable'], is_['Internal'], is_['Ingress']), (made['Id'], 'bridge', 'local', True, False, False))
    same((is_['Labels'], is_['Options'], is_['Containers']), (LABEL, {'com.docker.network.bridge.enable_icc': 'true'}, {}))
    same(is_['IPAM']['Config'], [{'Subnet': '10.199.0.0/24', 'IPRange': '10.199.0.128/25', 'Gateway': '10.199.0.9'}])
    refused(409, 'network with name sdk-net already exists', api.create_network, 'sdk-net')


@check
def networks():
    same([n['Name'] for n in api.networks(filters=MINE)], ['sdk-net'])
    same([n['Name'] for n in api.networks(names=['host'])], ['host'])
    assert {'bridge', 'host', 'none', 'sdk-net'} <= {n['Name'] for n in api.networks()}
    refused(400, "invalid filter 'bogus'", api.networks, filters={'bogus': 'x'})


@check
def connect_and_disconnect():
    made = run('net', FOREVER)
    api.connect_container_to_network(made, 'sdk-net', ipv4_address='10.199.0.200', aliases=['other'])
    is_ = api.inspect_container(made)['NetworkSettings']['Networks']
    same(sorted(is_), ['bridge', 'sdk-net'])
    same((is_['sdk-net']['IPAddress'], is_['sdk-net']['IPPrefixLen'], is_['sdk-net']['Gateway']), ('10.199.0.200', 24, '10.199.0.9'))
    same((is_['sdk-net']['IPAMConfig'], is_['sdk-net']['Aliases']), ({'IPv4Address': '10.199.0.200'}, ['other']))
    same(api.inspect_network('sdk-net')['Containers'][made]['IPv4Address'], '10.199.0.200/24')
    refused(403, 'already exists in network sdk-net', api.connect_container_to_network, made, 'sdk-net')
    refused(403, 'has active endpoints', api.remove_network, 'sdk-net')
    api.disconnect_container_from_network(made, 'sdk-net', force=True)
    same(sorted(api.inspect_container(made)['NetworkSettings']['Networks']), ['bridge'])
    refused(404, 'network sdk-none not found', api.connect_container_to_network, made, 'sdk-none')
    gone('net')


@check
def networking_config():
    gone('net')
    made = make('net', FOREVER, host_config=api.create_host_config(network_mode='sdk-net'),
                networking_config=api.create_networking_config({'sdk-net': EndpointConfig('1.45', aliases=['first'], ipv4_address='10.199.0.201')}))
    api.start(made)
    is_ = api.inspect_container(made)['NetworkSettings']['Networks']
    same((list(is_), is_['sdk-net']['IPAddress']), (['sdk-net'], '10.199.0.201'))
    same(is_['sdk-net']['DNSNames'], ['sdk-net', 'first', made[:12]])
    gone('net')


@check
def remove_and_prune_networks():
    api.remove_network('sdk-net')
    refused(404, 'network sdk-net not found', api.inspect_network, 'sdk-net')
    refused(403, 'bridge is a pre-defined network and cannot be removed', api.remove_network, 'bridge')
    api.create_network('sdk-pruned', labels=LABEL)
    same(api.prune_networks(filters=MINE), {'NetworksDeleted': ['sdk-pruned']})
    same(api.prune_networks(filters=MINE), {'NetworksDeleted': None})


def clean():
    for container in api.containers(all=True, filters=MINE):
        api.remove_container(container['Id'], force=True, v=True)
    for network in api.networks(filters=MINE):
        api.remove_network(network['Id'])
    for volume in api.volumes(filters=MINE)['Volumes']:
        api.remove_volume(volume['Name'])
    for image in api.images(filters={'reference': 'sdk-*'}):
        api.remove_image(image['Id'], force=True)


def main():
    clean()
    failed = 0
    for function in checks:
        try:
            function()
            print('ok', function.__name__, flush=True)
        except Exception as error:  # each check is told, whatever it met
            failed += 1
            lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == __file__]
            print('not ok %s (line %d): %s: %s' % (function.__name__, lines[1], type(error).__name__, error), flush=True)
    clean()
    print('python_docker: %d passed, %d failed' % (len(checks) - failed, failed))
    return failed != 0


sys.exit(main())
