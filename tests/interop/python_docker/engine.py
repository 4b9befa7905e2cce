"""Ping, version, info, df, login, events."""
from common import *  # noqa: F401,F403


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
