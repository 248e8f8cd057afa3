"""What `make corpus` writes: the text of corpora/<name>.yaml and of runs/<name>.yaml, with a comment to every key."""

import math
import re
import unicodedata
from collections.abc import Iterable
from string import Template

import yaml

NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?", re.ASCII)

# For fewer rows than the first number: batch size and most epochs of training and of finetuning, and whether models
# train on an encoder's hidden states, which take up to 200 KB a row.
SIZES = (
    (1_000, 16, 30, 16, 4, True),
    (10_000, 32, 20, 16, 2, True),
    (50_000, 64, 10, 32, 2, False),
    (math.inf, 128, 8, 32, 1, False),
)

CORPUS = Template("""\
# Described by `make corpus`; change what you like. What a key may hold is in stages/params.schema.yaml.
source:
  files: {$file: null} # in data/$name; its SHA-256 instead of null, and another content is refused
format: {$format} # where a table is not UTF-8 with commas or, in TSV, tabs: its encoding, its delimiter
splits:
  train: $file
  test: {fraction: $test, seed: $seed} # drawn first; rows of the same text stay together
  valid: {fraction: $valid, seed: $seed} # of the rows that test leaves
$group$left_out  repeated: drop # texts that train shares with valid or test; or keep, keep_first, refuse
columns: {text: $text, label: $label}
labels: # a class's name: its value in the file, or several: [a, b]; of two classes, scores are the last one's
$labels
unlabelled_texts: [] # other corpora whose training texts, without labels, word vectors are learned from too
tokenizer: raw_text # or blanks, where all words have blanks between them already
min_count: 2 # words that train holds less often are unknown
kept_words: {longest: 256, part: head_and_tail} # of a long text; null keeps all
kept_wordpieces: {longest: 256, part: head_and_tail} # null keeps as many as the encoder reads, from the head
taught_sentences: {number: 0, shortest: 4, longest: 20} # of other corpora's texts, for a teacher to label
training: {batch_size: $batch_size, epochs: $epochs, patience: 3, final_fit: true} # on valid's rows too
finetuning: {batch_size: $tuning_batch_size, epochs: $tuning_epochs, patience: 2, final_fit: false} # of the encoder
precision: fp32 # of the encoder; bf16 is faster where the processor has it
threads: 2 # of a training; more are faster where there are cores for them, and change figures a little
""")

RUN = Template("""\
# What `dvc repro` builds, once `make repro RUN=$name` or `cp runs/$name.yaml run.yaml` has chosen this.
run:
  corpora: [$name]
  unlabelled_corpora: [] # of which only training texts are read: those under unlabelled_texts in corpora/$name.yaml
  described_by: minilm # the encoder whose wordpieces a corpus's description counts
  encoders: [minilm] # pretrained encoders that models read: those of the two lists below
  frozen_encoders: [$frozen] # those whose hidden states the models under `features` read
  finetuned_encoders: [minilm] # those that the models under `finetuning` train
  teachers: [] # [minilm] adds the models under `distilled`, which learn from it once it is fine-tuned
  glove_dimensions: [] # [50] adds the models on GloVe's vectors of that size: 50, 100, 200 or 300
  models: # by kind; other models of a kind are in its comment
    ngrams: [tfidf] # counted n-grams, without randomness: trained once whatever the seeds
    pooled: [average] # cnn
    rnn: [] # rnn
    lstm: [] # lstm, lstm_dropout
    bilstm: [] # bilstm
    gru: [] # gru
    attention: [] # attention, linear_attention
    glove: [] # glove_lstm, glove_bilstm, on GloVe's vectors
    features: [$features] # bigru, on a frozen encoder's hidden states, which take up to 200 KB a row
    finetuning: [finetuned] # that train the encoder
    distilled: [] # lstm_distilled, bilstm_distilled, average_distilled, that learn from the teacher
  notebook: [] # trainings of notebook K as it did them, of those under `notebook`
  seeds: [1] # each is a training of every model but those on n-grams
""")


def corpus_text(name: str, rows: int, **described: object) -> str:
    """described: file, text, label and group by their names, format and labels as mappings, the labels that are left
    out, test, valid and seed."""
    _, batch_size, epochs, tuning_batch_size, tuning_epochs, _ = size_of(rows)
    group = described["group"]
    written = {key: scalar(described[key]) for key in ("file", "text", "label")}
    written["format"] = ", ".join(f"{key}: {quoted(value)}" for key, value in described["format"].items())
    written["group"] = f"  group_by: {scalar(group)} # and so do rows with the same value here\n" if group else ""
    left_out = values(list(described["left_out"]))
    written["left_out"] = f"  left_out: {left_out} # labels whose rows are in no split\n" if left_out != "[]" else ""
    written["labels"] = "\n".join(f"  {scalar(key)}: {values(value)}" for key, value in described["labels"].items())
    drawn = {key: described[key] for key in ("test", "valid", "seed")}
    sizes = {"batch_size": batch_size, "epochs": epochs}
    sizes |= {"tuning_batch_size": tuning_batch_size, "tuning_epochs": tuning_epochs}
    return CORPUS.substitute(name=name, **written, **drawn, **sizes)


def values(of_class: str | list[str]) -> str:
    return f"[{', '.join(map(quoted, of_class))}]" if isinstance(of_class, list) else quoted(of_class)


def run_text(name: str, rows: int) -> str:
    *_, keeps_features = size_of(rows)
    features, frozen = ("bigru", "minilm") if keeps_features else ("", "")
    return RUN.substitute(name=name, features=features, frozen=frozen)


def size_of(rows: int) -> tuple:
    return next(size for size in SIZES if rows < size[0])


def class_names(values: Iterable[str]) -> dict[str, str]:
    """A plain name for each value, numbers in their order before words in theirs: `Very good!` is very_good, 1 class1.

    None ends in an underscore and digits, as a column of a class and a seed does where predictions are kept.
    """
    names = {}
    for value in sorted(values, key=lambda value: (as_number(value), value)):
        spoken = re.sub(r"^-(?=\d)", "minus ", value.lower())
        kept = "".join(sign if unicodedata.category(sign)[0] in "LMN" else " " for sign in spoken)
        name = "_".join(kept.split())[:40]
        name = re.sub(r"_(?=\d+$)", "", name if name[:1].isalpha() else f"class{name}")
        while name in names:
            name += str(len(names))
        names[name] = value
    return names


def as_number(value: str) -> float:
    return float(value.replace(",", ".")) if NUMBER.fullmatch(value) else math.inf


def scalar(text: str) -> str:
    """YAML that is this text when read, in quotes where it would be something else without."""
    is_plain = re.fullmatch(r"[^\W\d][\w.]*", text) and yaml.safe_load(text) == text
    return text if is_plain else quoted(text)


def quoted(text: str) -> str:
    return yaml.safe_dump(text, default_style='"', allow_unicode=True, width=math.inf).removesuffix("\n")
