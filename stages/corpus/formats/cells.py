"""What a table's cells say, as text: each value as the file has it, whatever other rows and columns hold.

A gap (nothing, null, NaN) is an empty text; true and false are these words. CSV and JSON lines have numbers as they are
written, 1.0 as 1.0. Parquet has no written form: of its numbers, whole ones have no point, so that the 7 of a column
that became floating-point because of gaps stays 7.
"""

import re

import pyarrow as pa
import pyarrow.compute as pc

from stages.common.command import InputError

WHOLE = r"^([+-]?[0-9]+)\.0*$"
INT64 = 2.0**63  # beyond it, a floating-point number is written with an exponent
KINDS = (
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_boolean,
    pa.types.is_decimal,
    pa.types.is_date,
    pa.types.is_time,
    pa.types.is_timestamp,
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_null,
)  # of values that can be text; not bytes, lists, objects, or durations, which would lose their unit


def text_of_json(value: object, place: str) -> str:
    """A value of JSON whose numbers were kept as they are written; `place` is for the message.

    Raises:
        InputError: it is a list or an object, or holds half of a character.
    """
    if isinstance(value, str):
        if not value.isascii() and re.search("[\ud800-\udfff]", value):
            raise InputError(f"{place} holds half of a character (\\ud800 to \\udfff); correct it")
        return value
    if value is None or isinstance(value, bool):
        return {None: "", True: "true", False: "false"}[value]
    raise not_text(place, "a list" if isinstance(value, list) else "an object")


def text_of_arrow(column: pa.Array, place: str) -> pa.Array:
    """A column's values as strings.

    Raises:
        InputError: they are of a type that is not text, a number, a date or the like, or not UTF-8.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if not any(is_of_kind(kind) for is_of_kind in KINDS):
        raise not_text(place, str(kind))
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        raise InputError(f"{place} holds bytes that are not UTF-8; write it as text") from None
    if pa.types.is_floating(kind):
        column = text_of_floats(column)
    column = column.cast(pa.string())
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):  # whatever its unit, without zeros at the fraction's end
        column = pc.replace_substring_regex(column, r"(\.[0-9]*?)0+($|[Z+-])", r"\1\2")
        column = pc.replace_substring_regex(column, r"\.($|[Z+-])", r"\1")
    return pc.fill_null(column, "")


def text_of_floats(column: pa.Array) -> pa.Array:
    """Whole numbers without a point; NaN is a gap."""
    if pa.types.is_float16(column.type):
        column = column.cast(pa.float32())
    is_whole = pc.and_(pc.equal(pc.trunc(column), column), pc.less(pc.abs(column), INT64))
    whole = pc.if_else(is_whole, column, None).cast(pa.int64()).cast(pa.string())
    return pc.if_else(pc.is_nan(column), None, pc.coalesce(whole, column.cast(pa.string())))


def not_text(place: str, kind: str) -> InputError:
    return InputError(
        f"{place} is {kind[:80]}, expected one value: a text, a number, true or false; write it as text, "
        "or name another column under columns in corpora/"
    )
