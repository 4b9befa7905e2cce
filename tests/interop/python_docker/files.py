"""Archives, diff, export, commit, ports, prune, run."""
from common import *  # noqa: F401,F403


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
