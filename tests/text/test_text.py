"""Texts: read one at a time from any source, and split into words as SST-2's rows are, which stay as they are."""

import io
import os
import sys
import zipfile
from pathlib import Path

import pytest

from stages.common.command import InputError
from stages.serving.console import CHUNK_CHARACTERS, CHUNK_TEXTS, LONGEST, chunks, read_texts
from stages.text.words import split_words
from tests.commands import start
from tests.projects import REPOSITORY

MIRROR = Path(os.environ.get("DATA_MIRROR") or "nowhere")

TYPED = {
    "I can't wait": "i ca n't wait",
    "Don't!": "do n't !",
    "It's a film": "it 's a film",
    "It’s Smith’s, isn’t it?": "it 's smith 's , is n't it ?",
    "They're, we've, I'd, she'll, I'm": "they 're , we 've , i 'd , she 'll , i 'm",
    "Avengers was great!!": "avengers was great ! !",
    "Really?!": "really ? !",
    "Mr. Smith vs. Dr. No": "mr. smith vs. dr. no",
    "It is terrible. I hated it.": "it is terrible . i hated it .",
    "(really)": "( really )",
    "So bad (and long.)": "so bad ( and long . )",
    'the "best" film.': "the `` best '' film .",
    'I said "no fun."': "i said `` no fun . ''",
    "The U.S. army at 8:30": "the u.s. army at 8:30",
    "3,000 men, 3.5 stars": "3,000 men , 3.5 stars",
    "wow... so: bad; good": "wow ... so : bad ; good",
    "?!?": "?!?",
    "so ... so": "so ... so",
    "  two\n lines\tand\u00a0more ": "two lines and more",
    "ÉTÉ n'est": "été n'est",
}

TOKENIZED = (
    "it 's a charming and often affecting journey .",
    "do n't be fooled by the impressive cast list -- it ca n't be saved .",
    "-lrb- a -rrb- crushing , well-made film : mr. rose 's `` updating '' of it",
    "not at 8:30 , not in the u.s. , not for $ 7.50 ... or 3,000 !",
    "is it ? ! no . ' yes '",
    "rock 'n' roll o'clock",
)


def words_of(text: str, tokenizer: str = "treebank") -> list[str]:
    return split_words([text], tokenizer).to_pylist()[0]


@pytest.mark.parametrize(("text", "words"), TYPED.items(), ids=TYPED)
def test_a_typed_text_is_split_as_the_treebank_splits(text, words):
    assert words_of(text) == words.split(" ")


@pytest.mark.parametrize("row", TOKENIZED)
def test_a_row_that_is_split_already_stays_as_it_is(row):
    assert words_of(row) == words_of(row, "blanks")


@pytest.mark.parametrize("text", TYPED)
def test_splitting_twice_is_splitting_once(text):
    words = words_of(text)
    assert words_of(" ".join(words)) == words


@pytest.mark.parametrize("text", ["", " \t", "\n"])
def test_a_text_without_words_is_one_unknown_word(text):
    assert split_words([text, "good", text], "treebank").to_pylist() == [["<unk>"], ["good"], ["<unk>"]]


@pytest.mark.parametrize(("name", "count"), [("train", 67_349), ("dev", 872)])
def test_every_row_of_sst2_stays_as_it_is(name, count):
    if not (MIRROR / "SST-2.zip").is_file():
        pytest.skip("DATA_MIRROR names no folder that holds SST-2.zip")
    with zipfile.ZipFile(MIRROR / "SST-2.zip") as archive:
        lines = archive.read(f"SST-2/{name}.tsv").decode().split("\n")[1:-1]
    rows = [line.split("\t")[0] for line in lines]
    assert len(rows) == count
    assert split_words(rows, "treebank") == split_words(rows, "blanks")


def read_bytes_as_stdin(monkeypatch, content: bytes, arguments: list[str] | None = None) -> list[str]:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    return list(read_texts(arguments or [], None))


def test_arguments_win_over_a_stream(monkeypatch):
    assert read_bytes_as_stdin(monkeypatch, b"no\n", ["yes", "a b"]) == ["yes", "a b"]


def test_lines_are_texts_whatever_their_ends_and_letters(monkeypatch):
    content = "\ufeffone\r\ntwo 🎬\n  \u202bشكرا\u202c \nlast\u2028line\x0bof\x85it\x00".encode()
    texts = ["one", "two 🎬", "  \u202bشكرا\u202c ", "last\u2028line\x0bof\x85it\x00"]
    assert read_bytes_as_stdin(monkeypatch, content) == texts


def test_an_empty_stream_has_no_texts(monkeypatch):
    assert read_bytes_as_stdin(monkeypatch, b"") == []


@pytest.mark.parametrize("letter", ["a", "é", "🎬"])
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_the_longest_text_is_read_whole(monkeypatch, letter, end):
    text = letter * LONGEST
    assert read_bytes_as_stdin(monkeypatch, f"first\n{text}{end}".encode()) == ["first", text]


LINES = {
    "empty": (b"good\n\nbad\n", "line 2: the text is empty"),
    "blank": (b"good\n \t\r\n\n\nbad\n", "line 2: the text is empty"),
    "all blank": (b"\n \n", "line 1: the text is empty"),
    "only a byte order mark": ("\ufeff\ngood".encode(), "line 1: the text is empty"),
    "too long": (b"good\n" + b"a" * (LONGEST + 1) + b"\n", "line 2: the text has more than 100,000 characters"),
    "a megabyte without an end": (b"a" * 1_000_000, "line 1: the text has more than 100,000 characters"),
    "long, of three bytes each": ("…" * 1_000_000, "line 1: the text has more than 100,000 characters"),
    "no UTF-8": (b"good\ncaf\xe9\n", "line 2: the text is not UTF-8"),
    "UTF-16": ("good\n".encode("utf-16"), "line 1: the text is not UTF-8"),
}


@pytest.mark.parametrize(("content", "message"), LINES.values(), ids=LINES)
def test_a_line_that_is_not_a_text_is_named_by_its_number(monkeypatch, content, message):
    content = content if isinstance(content, bytes) else content.encode()
    with pytest.raises(InputError, match=rf"standard input, {message}"):
        read_bytes_as_stdin(monkeypatch, content)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n \n", b"\n \t"])
def test_blank_lines_at_the_end_are_skipped(monkeypatch, end):
    assert read_bytes_as_stdin(monkeypatch, b"good\nbad" + end) == ["good", "bad"]


@pytest.mark.parametrize("texts", [1, CHUNK_TEXTS, CHUNK_TEXTS + 1])
@pytest.mark.parametrize("fault", [b"\nbad\n", b"caf\xe9\n", b"a" * (LONGEST + 1)], ids=["blank", "bytes", "long"])
def test_texts_before_a_fault_come_out_before_it(monkeypatch, texts, fault):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"good\n" * texts + fault)))
    found, given = [], chunks(read_texts([], None))
    with pytest.raises(InputError, match=f"line {texts + 1}: "):
        for chunk in given:
            found += chunk
    assert found == ["good"] * texts


def test_no_argument_is_scored_where_one_is_not_a_text():
    with pytest.raises(InputError, match="text 2: "):
        next(chunks(read_texts(["good", ""], None)))


@pytest.mark.parametrize("text", ["", " ", "a" * (LONGEST + 1), "caf\udce9"], ids=["empty", "blank", "long", "bytes"])
def test_an_argument_that_is_not_a_text_is_named_by_its_number(text):
    with pytest.raises(InputError, match="text 2: "):
        list(read_texts(["good", text], None))


@pytest.mark.parametrize(
    ("count", "length"), [(0, 1), (1, 1), (3 * CHUNK_TEXTS, 5), (CHUNK_TEXTS + 1, 5), (40, 90_000)]
)
def test_chunks_are_bounded_and_hold_every_text_in_order(count, length):
    texts = [f"{number} ".ljust(length, "a") for number in range(count)]
    found = list(chunks(iter(texts)))
    assert [text for chunk in found for text in chunk] == texts
    assert all(0 < len(chunk) <= CHUNK_TEXTS for chunk in found)
    assert all(sum(map(len, chunk[:-1])) < CHUNK_CHARACTERS for chunk in found)
    assert len(found) <= 1 + count / CHUNK_TEXTS + count * length / CHUNK_CHARACTERS


def test_no_more_is_read_than_a_chunk_needs():
    stream = iter([f"text {number}" for number in range(3 * CHUNK_TEXTS)])
    next(chunks(stream))
    assert next(stream) == f"text {CHUNK_TEXTS}"


@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_reader_that_has_seen_enough_ends_a_command_quietly(lines, monkeypatch):
    program = f"from stages.common import command; command.run(lambda: [print('a line') for _ in range({lines})])"
    reader, writer = os.pipe()
    os.close(reader)
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    with start(REPOSITORY, sys.executable, "-c", program, stdout=writer) as command:
        os.close(writer)
        said = command.communicate()[1]
    assert (command.returncode, said) == (1, "")
