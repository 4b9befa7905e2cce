"""The life of containers, their logs, numbers and lists."""
from common import *  # noqa: F401,F403


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
