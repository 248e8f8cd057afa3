"""Which bytes are which characters, and where they are not."""

import codecs
from pathlib import Path

from stages.common.command import InputError
from stages.corpus.formats.packed import opened

MARKS = {  # at the beginning of a file
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def codec_of(encoding: str) -> str:
    """The codec to read an encoding with: of UTF-8, the one that skips the mark of spreadsheets.

    Raises:
        InputError: there is no such encoding.
    """
    try:
        "".encode(encoding)  # of encodings that are not of text, such as base64, this is a LookupError too
        return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    except (LookupError, ValueError):  # `undefined` is an encoding that fails always
        raise InputError(f"there is no encoding {encoding!r}; name another, such as utf-8 or windows-1252") from None


def marked_encoding(path: Path) -> str | None:
    """UTF-16 or UTF-32 where a file begins with the mark of one."""
    with opened(path) as (_, content):
        start = content.read(4)
    return next((name for mark, name in MARKS.items() if start.startswith(mark)), None)


def not_encoded(path: Path, encoding: str, setting: str = "its encoding under format in corpora/") -> InputError:
    """That a file is not in an encoding, and what to do; `setting` says how to name another."""
    marked = marked_encoding(path)
    place = f"{path.name}, line {first_undecodable_line(path, encoding)}"
    if marked and codecs.lookup(marked) != codecs.lookup(encoding):
        return InputError(f"{place}: not {encoding.upper()} but {marked.upper()}, as it begins; name {setting}")
    return InputError(f"{place}: not {encoding.upper()}; save it as UTF-8, or name {setting}")


def first_undecodable_line(path: Path, encoding: str) -> int:
    decoder, line = codecs.getincrementaldecoder(codec_of(encoding))(), 1
    with opened(path) as (_, content):
        try:
            while block := content.read(1 << 16):
                line += decoder.decode(block).count("\n")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            line += error.object[: error.start].decode(encoding, "ignore").count("\n")
        except UnicodeError:  # UTF-16 without its mark
            pass
    return line
