"""Read by Python at its start, where this folder is on the path: folders are listed the other way round."""

import os

_listdir, _scandir = os.listdir, os.scandir


class _Backwards:
    """What `os.scandir` gives, from the end."""

    def __init__(self, *arguments):
        with _scandir(*arguments) as entries:
            self._entries = iter(sorted(entries, key=lambda entry: entry.name, reverse=True))

    def __iter__(self):
        return self._entries

    def __next__(self):
        return next(self._entries)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def close(self):
        pass


os.listdir = lambda *arguments: sorted(_listdir(*arguments), reverse=True)
os.scandir = _Backwards
