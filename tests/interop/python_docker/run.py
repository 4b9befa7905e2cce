#!/usr/bin/python3
"""Uses every method that the docker package for Python has for a single engine, and checks what comes back.

DOCKER_HOST names the engine, which has an image busybox; what is made is named sdk-… and has the label sdk. Started by `sdk`.
"""
import traceback

# Each adds its checks; later ones use what earlier ones made.
import engine  # noqa: F401
import containers  # noqa: F401
import streams  # noqa: F401
import files  # noqa: F401
import images  # noqa: F401
import networks_and_volumes  # noqa: F401
from common import MINE, api, checks, sys


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
            lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(sys.path[0])]
            print('not ok %s (line %d): %s: %s' % (function.__name__, lines[1], type(error).__name__, error), flush=True)
    clean()
    print('python_docker: %d passed, %d failed' % (len(checks) - failed, failed))
    return failed != 0


sys.exit(main())
