"""Volumes and networks."""
from common import *  # noqa: F401,F403


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
