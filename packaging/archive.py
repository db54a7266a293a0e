"""Packs a directory so that the same files give the same archive.

    archive.py DIRECTORY FILE.tar.gz
"""

import gzip
import os
import pathlib
import sys
import tarfile

folder, into = pathlib.Path(sys.argv[1]), sys.argv[2]
TIME = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))


def plain(member):
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = TIME
    runs = member.isdir() or member.name.endswith(("/lineload", "/lineload.exe"))
    member.mode = 0o755 if runs else 0o644
    return member


with open(into, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=TIME) as packed:
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        archive.add(folder, folder.name, recursive=False, filter=plain)
        for path in sorted(folder.rglob("*")):
            name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
            archive.add(path, name, recursive=False, filter=plain)
