"""Prints the shape of a JSON value: the path of every field, and what kind of value is there."""
import json
import sys


def walk(path, value, out):
    if isinstance(value, dict):
        out.add(path + ' {}')
        for key in value:
            walk(path + '.' + key, value[key], out)
    elif isinstance(value, list):
        out.add(path + ' []')
        for item in value:
            walk(path + '[]', item, out)
    else:
        out.add(path + ' ' + ('null' if value is None else type(value).__name__))


text = sys.stdin.read()
shape = set()
try:
    walk('', json.loads(text), shape)
except ValueError:
    shape = {text}
print('\n'.join(sorted(shape)))
