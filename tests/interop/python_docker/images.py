"""Images: lists, archives, imports, the high-level objects, removal, registries."""
from common import *  # noqa: F401,F403


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
