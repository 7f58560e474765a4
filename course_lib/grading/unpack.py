"""Unpack a stranger's zip: nothing leaves the target folder, no links, no bombs."""

from __future__ import annotations

import errno
import stat
import zipfile
from pathlib import Path, PurePosixPath, PureWindowsPath

__all__ = ["BadZip", "unpack"]

MAX_MEMBERS = 20_000
MAX_BYTES = 2 * 2**30
MAX_FILE = 64 * 2**20
NAMES = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EILSEQ, errno.EINVAL)


class BadZip(Exception):
    """A zip that cannot be read; says why."""


def unpack(archive: Path, target: Path) -> list[str]:
    """Unpack a zip into a new folder.

    Args:
        archive: The zip file.
        target: The folder to make.

    Returns:
        What was refused, a sentence each: members with an absolute path, with `..`, links, and
        files of more than 64 MiB.

    Raises:
        BadZip: If it is not a zip, is damaged, encrypted, or holds more than 2 GiB.
    """
    target.mkdir(parents=True)
    refused: list[str] = []
    try:
        with zipfile.ZipFile(archive) as file:
            members = file.infolist()
            if len(members) > MAX_MEMBERS or sum(m.file_size for m in members) > MAX_BYTES:
                raise BadZip(f"more than {MAX_MEMBERS} files or {MAX_BYTES // 2**30} GiB")
            for member in members:
                why = _objection(member)
                if why:
                    refused.append(f"{archive.name}: {member.filename!r} was refused: {why}")
                    continue
                try:
                    if not member.is_dir():
                        file.extract(member, target)  # reads no more than file_size
                    else:
                        (target / member.filename).mkdir(parents=True, exist_ok=True)
                except OSError as error:
                    if error.errno not in NAMES:
                        raise
                    refused.append(
                        f"{archive.name}: {member.filename!r} was refused: {error.strerror}"
                    )
    except BadZip:
        raise
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError) as error:
        raise BadZip(str(error)) from None
    except (RuntimeError, OSError, EOFError, ValueError) as error:
        raise BadZip(str(error) or type(error).__name__) from None
    except Exception as error:  # zlib.error, lzma.LZMAError: damaged data
        raise BadZip(f"damaged ({error})") from None
    return refused


def _objection(member: zipfile.ZipInfo) -> str:
    name = member.filename
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    if posix.is_absolute() or windows.is_absolute() or windows.drive or name.startswith("\\"):
        return "its path is absolute"
    if ".." in windows.parts:  # splits at both kinds of slash
        return "its path leaves the folder"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "it is a link"
    if member.file_size > MAX_FILE:
        return f"it is larger than {MAX_FILE // 2**20} MiB"
    return ""
