"""XML as text: decoded by its byte order mark or declaration, as the standard has it, not by guessing.

Extensible Markup Language 1.0, section 4.3.3: https://www.w3.org/TR/xml/#charencoding.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from dglcell.errors import DataError

_MARKS: Final = (  # byte order marks, and the first characters `<?` without one
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_DECLARATION = re.compile(r"""\s*<\?xml\b[^>]*?\bencoding\s*=\s*["']([^"']*)["'][^>]*\?>""")


def is_xml(content: bytes) -> bool:
    """Whether the content starts as XML does, in any encoding."""
    return content[:256].replace(b"\0", b"").removeprefix(codecs.BOM_UTF8).lstrip(b"\xff\xfe \t\r\n").startswith(b"<")


def decode(path: Path, content: bytes) -> str:
    r"""The text of an XML file with `\n` line endings, without byte order mark and without the name of an encoding.

    Raises
    ------
    DataError
        The declared encoding is unknown, or the bytes are not in it.
    """
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    source = "by its first bytes"
    if encoding is None:
        declared = _DECLARATION.match(content[:512].decode("latin-1"))
        encoding, source = (declared[1], "by its declaration") if declared else ("utf-8", "without a declaration")
        if encoding.replace("_", "-").casefold().startswith(("utf-16", "utf16", "utf-32", "utf32", "ucs")):
            raise _wrong(path, encoding, source, "its characters are single bytes")
    try:
        text = content.decode(encoding)
    except LookupError as error:
        raise DataError(
            f"{path}: the XML declaration names the encoding '{encoding}', which is unknown - write one such as UTF-8"
        ) from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _wrong(path, encoding, source, f"line {line}: {error.reason}") from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    declaration = _DECLARATION.match(text)
    if declaration is None:
        return text
    return text[: declaration.start(1)] + "UTF-8" + text[declaration.end(1) :]


def without(text: str, element: str, is_dropped: Callable[[str], bool] = lambda content: True) -> str:
    """XML without the elements of a name, in any namespace; line numbers stay as they are.

    Elements that enclose others of their name stay, and so do those in or around a comment or CDATA section.

    Parameters
    ----------
    text : str
    element : str
    is_dropped : callable
        Whether to leave out an element with this content.

    Examples
    --------
    >>> without("<a><notes>x</notes><b/></a>", "notes")
    '<a><b/></a>'
    """
    pattern = re.compile(rf"<((?:[\w.-]+:)?{element})(?:\s[^<>]*)?(?<!/)>(.*?)</\1\s*>", re.DOTALL)

    def replacement(match: re.Match[str]) -> str:
        name, content = match.groups()
        is_plain = f"<{name}" not in content and not any(mark in content for mark in ("<!", "-->", "]]>"))
        return "\n" * match[0].count("\n") if is_plain and is_dropped(content) else match[0]

    return pattern.sub(replacement, text)


def _wrong(path: Path, encoding: str, source: str, reason: str) -> DataError:
    return DataError(
        f"{path}: the file is {encoding} {source}, but is not ({reason}) - correct the encoding in the first line, "
        "or save the file as UTF-8"
    )
