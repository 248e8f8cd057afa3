"""Words: a person's text is cut as SST-2's rows are, and SST-2's rows come out as they are."""

import os
import zipfile
from pathlib import Path

import pytest

from stages.lib.text import as_treebank, at_blanks, split_words

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
    'the "best" film.': 'the " best " film .',
    'I said "no fun."': 'i said " no fun . "',
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


@pytest.mark.parametrize(("text", "words"), TYPED.items(), ids=TYPED)
def test_a_text_as_typed_is_cut_as_the_treebank_does(text, words):
    assert as_treebank(text) == words.split(" ")


@pytest.mark.parametrize("row", TOKENIZED)
def test_a_row_that_is_cut_already_is_left_as_it_is(row):
    assert as_treebank(row) == at_blanks(row)


@pytest.mark.parametrize("text", TYPED)
def test_cutting_twice_is_cutting_once(text):
    words = as_treebank(text)
    assert as_treebank(" ".join(words)) == words


@pytest.mark.parametrize("text", ["", " \t", "\n"])
def test_a_text_without_words_is_one_unknown_word(text):
    assert split_words([text, "good"], "treebank") == [["<unk>"], ["good"]]


@pytest.mark.parametrize(("name", "count"), [("train", 67_349), ("dev", 872)])
def test_every_row_of_sst2_is_left_as_it_is(name, count):
    if not (MIRROR / "SST-2.zip").is_file():
        pytest.skip("DATA_MIRROR names no folder that holds SST-2.zip")
    with zipfile.ZipFile(MIRROR / "SST-2.zip") as archive:
        lines = archive.read(f"SST-2/{name}.tsv").decode().split("\n")[1:-1]
    rows = [line.split("\t")[0] for line in lines]
    assert len(rows) == count
    assert [row for row in rows if as_treebank(row) != at_blanks(row)] == []
