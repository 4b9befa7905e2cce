"""Attach and exec."""
from common import *  # noqa: F401,F403


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
