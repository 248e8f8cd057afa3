"""Corpora: tables read, sentences held out, words cut, vocabularies built, and what the embedded corpus is."""

import random
import re
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

import stages.tokenize_text
from stages import build_vocab
from stages.common.command import InputError
from stages.corpus.rows import read_table
from stages.corpus.splits import contained, hold_out_sentences
from stages.text.vocabulary import build_vocabulary, read_vocabulary, write_vocabulary
from stages.text.words import split_words
from tests.projects import REPOSITORY

SAMPLE = REPOSITORY / "data" / "sample"
COLUMNS = {"text": "text", "label": "label", "labels": {"negative": "0", "positive": "1"}}


def read(folder: Path, name: str, content: str, **columns: object) -> pd.DataFrame:
    (folder / name).write_bytes(content.encode())
    return read_table(folder, name, **COLUMNS | columns)


def test_tsv_is_read_without_quoting(tmp_path):
    rows = read(tmp_path, "a.tsv", 'text\tlabel\n"so called" art\t1\n  "open \t0\nNA\t1\n')
    assert rows["text"].tolist() == ['"so called" art', '"open', "NA"]
    assert rows["label"].tolist() == [1, 0, 1]
    assert rows["id"].tolist() == ["a.tsv:2", "a.tsv:3", "a.tsv:4"]


def test_tsv_lines_end_at_line_feeds_alone(tmp_path):
    rows = read(tmp_path, "a.tsv", "text\tlabel\na\u2028b\x85c\t1\nd\t0\n")
    assert rows["text"].tolist() == ["a\u2028b\x85c", "d"]


def test_windows_line_ends_and_byte_order_mark_are_not_content(tmp_path):
    rows = read(tmp_path, "a.tsv", "\ufefftext\tlabel\r\na\t1\r\nb\t0\r\n")
    assert rows["text"].tolist() == ["a", "b"]
    assert rows["label"].tolist() == [1, 0]


def test_csv_is_read_with_quotes(tmp_path):
    rows = read(tmp_path, "a.csv", 'id,text,label\n7,"long, but ""good""",1\n8,short,0\n')
    assert rows["text"].tolist() == ['long, but "good"', "short"]
    assert rows["id"].tolist() == ["a.csv:2", "a.csv:3"]


def test_csv_line_is_where_the_row_begins_after_a_text_of_two_lines(tmp_path):
    rows = read(tmp_path, "a.csv", 'text,label\n"two\nlines",1\nshort,0\n')
    assert rows["id"].tolist() == ["a.csv:2", "a.csv:4"]


@pytest.mark.parametrize("index", [None, [5, 9], ["p", "q"]], ids=["no index", "numbers", "names"])
def test_parquet_is_read_with_numbers_for_labels_and_any_index(tmp_path, index):
    pd.DataFrame({"text": [" a ", "b"], "label": [0, 1]}, index=index).to_parquet(tmp_path / "a.parquet")
    rows = read_table(tmp_path, "a.parquet", **COLUMNS)
    assert rows["text"].tolist() == ["a", "b"]
    assert rows["label"].tolist() == [0, 1]
    assert rows["id"].tolist() == ["a.parquet:2", "a.parquet:3"]


@pytest.mark.parametrize("kind", ["float64", "Int64"])
def test_a_gap_in_a_column_of_numbers_is_named_by_its_line(tmp_path, kind):
    frame = pd.DataFrame({"text": ["a", "b", "c"], "label": pd.Series([0, 1, None], dtype=kind)})
    frame.to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"a\.parquet, line 4: the label is ''"):
        read_table(tmp_path, "a.parquet", **COLUMNS)


def test_a_file_only_named_parquet_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"a\.parquet: .*Parquet"):
        read(tmp_path, "a.parquet", "text\tlabel\na\t1\n")


def test_csv_with_an_open_quote_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"a\.csv"):
        read(tmp_path, "a.csv", 'text,label\na,0\n"b,1\n')


def test_labels_are_numbered_in_the_order_of_their_names(tmp_path):
    content = "text\tlabel\na\tpos\nb\tneg\n"
    assert read(tmp_path, "a.tsv", content, labels={"negative": "neg", "positive": "pos"})["label"].tolist() == [1, 0]
    assert read(tmp_path, "a.tsv", content, labels={"good": "pos", "bad": "neg"})["label"].tolist() == [0, 1]


def generated_phrases(count: int) -> list[str]:
    """Sentences of few different words and random cuts out of them, some of them twice, shuffled."""
    generator = random.Random(3)
    words = [f"w{number}" for number in range(25)]
    sentences = [" ".join(generator.choices(words, k=generator.randint(4, 14))) for _ in range(count // 5)]
    phrases = list(sentences)
    while len(phrases) < count:
        sentence = generator.choice(sentences).split(" ")
        start = generator.randrange(len(sentence))
        phrases.append(" ".join(sentence[start : start + generator.randint(1, 6)]))
    generator.shuffle(phrases)
    return phrases


def occurs_in(phrase: str, row: str) -> bool:
    words, within = phrase.split(" "), row.split(" ")
    return any(within[start : start + len(words)] == words for start in range(len(within)))


@pytest.mark.parametrize("longer_only", [False, True])
def test_containment_is_what_a_search_through_all_rows_finds(longer_only):
    phrases = [*generated_phrases(300), "unheard", "w1 unheard", "w", ""]
    rows = generated_phrases(300)[:100]
    expected = [
        any(occurs_in(phrase, row) and not (longer_only and phrase == row) for row in rows) for phrase in phrases
    ]
    assert contained(phrases, rows, longer_only=longer_only).tolist() == expected
    assert len(set(expected)) == 2


def test_whole_sentences_are_held_out_with_all_their_phrases():
    texts = ["a fine film", "fine film", "a fine", "dull", "a dull , dull film", "fine films", "film"]
    train, valid, parts = hold_out_sentences(texts, rows=1, min_words=5, seed=1)
    assert [texts[row] for row in valid] == ["a dull , dull film"]
    assert [texts[row] for row in parts] == ["dull", "film"]
    assert [texts[row] for row in train] == ["a fine film", "fine film", "a fine", "fine films"]


def test_held_out_sentences_are_whole_and_nothing_of_them_is_trained_on():
    texts = generated_phrases(300)
    train, valid, parts = hold_out_sentences(texts, rows=15, min_words=6, seed=1)
    held_out = [texts[row] for row in valid]
    assert len(set(held_out)) == 15
    for sentence in held_out:
        assert len(sentence.split(" ")) >= 6
        assert not any(occurs_in(sentence, text) for text in texts if text != sentence)
    outside = [row for row, text in enumerate(texts) if not any(occurs_in(text, sentence) for sentence in held_out)]
    assert train.tolist() == outside
    assert 0 < len(outside) < len(texts) - 15
    assert sorted([*train, *valid, *parts]) == list(range(len(texts)))


def test_held_out_sentences_depend_on_the_seed_alone():
    texts = generated_phrases(300)
    first, again, other = (hold_out_sentences(texts, rows=10, min_words=6, seed=seed) for seed in (1, 1, 2))
    assert [part.tolist() for part in first] == [part.tolist() for part in again]
    assert first[1].tolist() != other[1].tolist()


def test_too_few_sentences_are_counted():
    with pytest.raises(ValueError, match="2 sentences have at least 3 words, 3 are to be held out"):
        hold_out_sentences(["a b c", "d e f", "d e", "g h"], rows=3, min_words=3, seed=1)


def test_blanks_alone_separate_words_that_are_apart_already():
    texts = [" It 's GOOD . ", "a\u00a0b", "<br /> x"]
    assert split_words(texts, "blanks").to_pylist() == [["It", "'s", "GOOD", "."], ["a\u00a0b"], ["<br", "/>", "x"]]


def test_raw_text_is_lowered_and_cut_at_punctuation():
    texts = ["It's GREAT!<br /><br />Really.", "ﬁne Ｆｉｌｍ\u00a0x", "well-made\n\tÉTÉ"]
    assert split_words(texts, "raw_text").to_pylist() == [
        ["it", "'", "s", "great", "!", "really", "."],
        ["fine", "film", "x"],
        ["well", "-", "made", "été"],
    ]


def test_text_of_no_words_is_one_unknown_word():
    assert split_words(["<br />", "x"], "raw_text").to_pylist() == [["<unk>"], ["x"]]


def test_vocabulary_falls_by_count_then_rises_by_alphabet():
    counts = Counter({"rare": 1, "b": 3, "a": 3, "Z": 3, "most": 9, "twice": 2})
    assert build_vocabulary(counts, 2) == ["<pad>", "<unk>", "most", "Z", "a", "b", "twice"]


def test_special_tokens_in_texts_are_not_counted_as_words():
    assert build_vocabulary(Counter({"<unk>": 9, "<pad>": 8, "a": 1}), 1) == ["<pad>", "<unk>", "a"]


def test_vocabulary_with_odd_characters_comes_back_from_its_file(tmp_path):
    words = ["a\u2028b", "a\u00a0b", "a\rb", "\r", "a\x85b", "a\x0bb", "\ufeff", "", "é", "\U0001f3ac"]
    vocabulary = build_vocabulary(Counter(words), 1)
    write_vocabulary(tmp_path / "vocab.txt", vocabulary)
    assert sorted(vocabulary[2:]) == sorted(words)
    assert read_vocabulary(tmp_path / "vocab.txt") == vocabulary


CHINESE = {
    "这家店很好！": ["这", "家", "店", "很", "好", "!"],
    "iPhone15真的no1": ["iphone15", "真", "的", "no1"],
    "とても良い映画": ["とても", "良", "い", "映", "画"],
    "정말 좋은 영화": ["정말", "좋은", "영화"],
    "㐀\U00020000": ["㐀", "\U00020000"],
    "naïve Straße": ["naïve", "straße"],
}


@pytest.mark.parametrize(("text", "words"), CHINESE.items())
def test_chinese_characters_are_words_as_berts_normalizer_has_it(text, words):
    assert split_words([text], "raw_text").to_pylist() == [words]
    of_bert = BertPreTokenizer().pre_tokenize_str(BertNormalizer(strip_accents=False).normalize_str(text))
    assert [unicodedata.normalize("NFKC", word) for word, _ in of_bert] == words


@pytest.mark.parametrize("tokenizer", ["blanks", "raw_text"])
def test_text_of_two_lines_keeps_the_vocabulary_one_token_a_line(tmp_path, tokenizer):
    counts = Counter(split_words(["two\nlines here", "two"], tokenizer).flatten().to_pylist())
    vocabulary = build_vocabulary(counts, 1)
    write_vocabulary(tmp_path / "vocab.txt", vocabulary)
    assert read_vocabulary(tmp_path / "vocab.txt") == vocabulary


WORDS = [["a", "b"], ["c"], ["a", "new", "a"], ["<unk>", "b"], ["<pad>"]]


def write_words(path: Path) -> Path:
    schema = pa.schema({"id": pa.string(), "label": pa.int64(), "words": pa.list_(pa.string())})
    columns = {"id": [f"x:{row}" for row in range(len(WORDS))], "label": [0, 1, 0, 1, 0], "words": WORDS}
    pq.write_table(pa.table(columns, schema=schema), path)
    return path


@pytest.mark.parametrize("rows", [1, 2, 5, 100])
def test_words_are_counted_over_all_batches(tmp_path, monkeypatch, rows):
    monkeypatch.setattr(build_vocab, "ROWS", rows)
    expected = Counter(word for words in WORDS for word in words)
    assert build_vocab.count_words(write_words(tmp_path / "words.parquet")) == expected


@pytest.mark.parametrize("rows", [1, 2, 5, 100])
def test_words_become_their_lines_in_the_vocabulary(tmp_path, monkeypatch, rows):
    monkeypatch.setattr(build_vocab, "ROWS", rows)
    words = write_words(tmp_path / "words.parquet")
    build_vocab.write_ids(words, ["<pad>", "<unk>", "a", "b", "c"], tmp_path / "ids.parquet")
    table = pq.read_table(tmp_path / "ids.parquet")
    assert table["id"].to_pylist() == ["x:0", "x:1", "x:2", "x:3", "x:4"]
    assert table["label"].to_pylist() == [0, 1, 0, 1, 0]
    assert table["tokens"].to_pylist()[:4] == [[2, 3], [4], [2, 1, 2], [1, 3]]


def test_word_that_looks_like_padding_is_unknown(tmp_path):
    words = write_words(tmp_path / "words.parquet")
    build_vocab.write_ids(words, ["<pad>", "<unk>", "a"], tmp_path / "ids.parquet")
    assert pq.read_table(tmp_path / "ids.parquet")["tokens"].to_pylist()[4] == [1]


def reviews(number: int, letters: str, end: str = "") -> list[str]:
    """Texts of letters without blanks, each another order of them."""
    return ["".join(random.Random(seed).sample(letters, len(letters))) + end for seed in range(number)]


THAI = "กขคงจฉชซฌญ"
LANGUAGES = {
    "Chinese": (reviews(40, "味道服务外卖老板很快", "！"), "raw_text", ""),
    "Chinese between blanks": (reviews(40, "味道服务外卖老板很快"), "blanks", "set tokenizer to raw_text"),
    "Thai": (reviews(40, THAI), "raw_text", "put a blank between words"),
    "Thai with blanks": ([" ".join(text) for text in reviews(40, THAI)], "raw_text", ""),
    "punctuation between blanks": ([f"{text[:5]},{text[5:]}!" for text in reviews(40, THAI)], "blanks", "raw_text"),
    "English": ([f"the film {number % 7} is good" for number in range(40)], "treebank", ""),
}


@pytest.mark.parametrize(("texts", "tokenizer", "advice"), LANGUAGES.values(), ids=LANGUAGES)
def test_most_words_unknown_is_warned_of(project, run_here, monkeypatch, capsys, texts, tokenizer, advice):
    monkeypatch.chdir(project.folder)
    project.set("corpora.own.tokenizer", tokenizer)
    for split, of_split in (("train", texts[:30]), ("valid", texts[30:]), ("test", THAI)):
        (project.folder / "rows").mkdir(exist_ok=True)
        frame = pd.DataFrame({"id": list(map(str, of_split)), "text": list(of_split), "label": 0})
        frame.to_parquet(project.folder / f"rows/{split}.parquet")
    assert run_here(stages.tokenize_text, corpus="own", rows="rows", out="words") == ""
    assert run_here(build_vocab, corpus="own", words="words", out="ids") == ""
    warned = capsys.readouterr().err
    assert ("warning: corpora/own.yaml: " in warned) == bool(advice)
    assert advice in warned
    if advice:
        assert re.search(r"(9\d|100)% of the words of valid are not in the vocabulary of train", warned)


def test_too_few_known_words_are_refused_with_what_may_be_meant(project, run_here, check, monkeypatch):
    monkeypatch.chdir(project.folder)
    project.set("corpora.own.tokenizer", "raw_text")
    project.set("corpora.own.min_count", 9)
    write_words(project.write("words/train.parquet", b""))
    said = run_here(build_vocab, corpus="own", words="words", out="data/ids/own")
    check(said, project.folder / "data/ids", "min_count is 9", "put a blank between words")


@pytest.fixture(scope="module")
def sample() -> dict[str, pd.DataFrame]:
    return {split: read_table(SAMPLE, f"{split}.tsv", **COLUMNS) for split in ("train", "valid", "test")}


def test_sample_has_its_rows_half_of_each_class(sample):
    assert {split: len(rows) for split, rows in sample.items()} == {"train": 800, "valid": 200, "test": 200}
    assert {split: int(rows["label"].sum()) for split, rows in sample.items()} == {
        "train": 400,
        "valid": 100,
        "test": 100,
    }


def test_sample_texts_have_8_to_60_words(sample):
    lengths = pd.concat(sample.values())["text"].str.split(" ").str.len()
    assert lengths.between(8, 60).all(), lengths[~lengths.between(8, 60)]


def test_sample_has_no_text_twice(sample):
    texts = pd.concat(sample.values())["text"].str.lower().str.findall(r"\w+").str.join(" ")
    assert texts[texts.duplicated()].tolist() == []


def test_sample_splits_share_no_near_duplicates(sample):
    """Less than 0.4 of the smaller text's word trigrams are in any text of another split."""
    texts, trigrams, holders = [], [], defaultdict(list)
    for split, rows in sample.items():
        for text in rows["text"]:
            words = re.findall(r"\w+", text.lower())
            texts.append((split, text))
            trigrams.append(set(zip(words, words[1:], words[2:], strict=False)))
            for trigram in trigrams[-1]:
                holders[trigram].append(len(trigrams) - 1)
    shared = Counter((one, two) for rows in holders.values() for one in rows for two in rows if one < two)
    alike = [
        (texts[one], texts[two])
        for (one, two), count in shared.items()
        if texts[one][0] != texts[two][0] and count >= 0.4 * min(len(trigrams[one]), len(trigrams[two]))
    ]
    assert alike == []
