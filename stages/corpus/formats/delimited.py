"""Rows of CSV and TSV, each with the number of the line it begins on."""

import csv
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TextIO

from stages.common.command import InputError
from stages.corpus.formats.lines import Rows, Tail, check_columns

OTHER_DELIMITER = "correct one of the two, or name the delimiter under format in corpora/"
AS_CSV = r'where values are in quotes, as spreadsheets write them, set format to {delimiter: "\t"} in corpora/'


class Quotes:
    """Whether a TSV's values that hold quotes are all quoted as CSV's are."""

    def __init__(self):
        self.quoted, self.others = 0, 0

    def look_at(self, values: Iterable[str]) -> None:
        for value in values:
            if '"' in value:
                inside = value[1:-1].replace('""', "").replace('\\"', "")  # R's way is another
                if len(value) > 1 and value[0] == value[-1] == '"' and '"' not in inside:
                    self.quoted += 1
                else:
                    self.others += 1


def delimited_rows(
    name: str,
    file: TextIO,
    columns: Sequence[str],
    kind: str,
    delimiter: str | None,
    header: Sequence[str] | None,
    in_quotes: Counter | None,
) -> Rows:
    """As `read_blocks` has it.

    Raises:
        InputError: likewise.
    """
    csv.field_size_limit(sys.maxsize)
    options = {"delimiter": delimiter or ",", "strict": True}
    if is_plain := kind == "tsv" and delimiter is None:
        options = {"delimiter": "\t", "quoting": csv.QUOTE_NONE}
    reader, tail, quotes, line = csv.reader(file, **options), Tail(name), Quotes(), 1
    try:
        named_in = "format.header" if header else "the header"
        header = header or next(reader, None)
        if header is None:
            raise InputError(f"{name} is empty; it needs a header line and rows")
        if not any(map(str.strip, header)):
            raise InputError(f"{name}, line 1: the line is blank; remove it, so that the columns' names come first")
        if any("\0" in column for column in header):
            raise InputError(
                f"{name}, line 1: NUL characters, as UTF-16 without its mark has; save it as UTF-8, or name its "
                "encoding, such as utf-16-le, under format in corpora/"
            )
        if is_plain and not set(columns) <= set(header) and set(columns) <= {cell.strip('"') for cell in header}:
            raise InputError(f"{name}, line 1: the columns' names are in quotes; {AS_CSV}")
        check_columns(name, columns, header)
        wanted = [header.index(column) for column in columns]
        line = reader.line_num + 1
        for row in reader:
            if not tail.holds(line, not any(map(str.strip, row))):
                if len(row) != len(header):
                    advice = AS_CSV if is_plain and '"' in "".join(row) else OTHER_DELIMITER
                    raise InputError(
                        f"{name}, line {line}: {len(row)} fields, expected {len(header)} as in {named_in}; {advice}"
                    )
                values = [row[position] for position in wanted]
                if is_plain:
                    quotes.look_at(values)
                yield line, values
            line = reader.line_num + 1
    except csv.Error as error:
        if "new-line character" in str(error):
            advice = "a carriage return alone, as old Macs end lines; save the file with other line ends"
            raise InputError(f"{name}, line {reader.line_num}: {advice}") from None
        if "end of data" in str(error):
            raise InputError(f"{name}, line {line}: a quote opens in this row and none closes it; correct it") from None
        raise InputError(f"{name}, line {reader.line_num}: {error}; quote its fields as CSV does") from None
    if in_quotes is not None and quotes.quoted and not quotes.others:
        in_quotes[name] = quotes.quoted
