"""Office files with the same bytes at each writing: entries in order, dates fixed."""

from __future__ import annotations

import io
import re
import zipfile

FIXED_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip archive can hold
_DATE = "1980-01-01T00:00:00Z"
_DATED = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:)")


def reproducible(office_file: bytes) -> bytes:
    """Return the same docx or xlsx file without the time of its making.

    The entries keep their order and contents; dates in the archive and in the document's properties are those
    of :data:`FIXED_DATE`.

    >>> import io, zipfile
    >>> made = io.BytesIO()
    >>> with zipfile.ZipFile(made, "w") as archive:
    ...     archive.writestr("word/document.xml", "<w:document/>")
    >>> zipfile.ZipFile(io.BytesIO(reproducible(made.getvalue()))).infolist()[0].date_time[0]
    1980
    """
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(office_file)) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as target,
    ):
        for item in source.infolist():
            content = source.read(item)
            if item.filename == "docProps/core.xml":
                content = _DATED.sub(rb"\g<1>" + _DATE.encode() + rb"\g<3>", content)
            entry = zipfile.ZipInfo(item.filename, FIXED_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            entry.create_system = 3
            target.writestr(entry, content)
    return buffer.getvalue()
