"""Tiny encoders of many kinds, with random weights and each with a tokenizer as its kind has it."""

import json
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from stages.encoder.pretrained import new_encoder, read_config

SIZES = {"vocab_size": 280, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
SIZES |= {"intermediate_size": 32, "max_position_embeddings": 66}
LETTERS = [chr(number) for number in range(ord("a"), ord("z") + 1)]
OF_BERT = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
OF_ROBERTA = ("<s>", "<pad>", "</s>", "<unk>")


def with_ends(tokenizer: Tokenizer, before: str, behind: str) -> str:
    ends = [(piece, tokenizer.token_to_id(piece)) for piece in (before, behind)]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{before} $A {behind}", special_tokens=ends)
    return tokenizer.to_str()


def wordpieces(special: tuple[str, ...], unknown: str, *ends: str) -> str:
    pieces = [*special, "good", "bad", "film", *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    tokenizer = Tokenizer(models.WordPiece({piece: number for number, piece in enumerate(pieces)}, unk_token=unknown))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    return with_ends(tokenizer, *ends)


def of_bert() -> str:
    return wordpieces(OF_BERT, "[UNK]", "[CLS]", "[SEP]")


def of_mpnet() -> str:
    return wordpieces(OF_ROBERTA, "<unk>", "<s>", "</s>")


def of_bytes(special: tuple[str, ...], *ends: str) -> str:
    pieces = [*special, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE({piece: number for number, piece in enumerate(pieces)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return with_ends(tokenizer, *ends)


def of_roberta() -> str:
    return of_bytes(OF_ROBERTA, "<s>", "</s>")


def of_modernbert() -> str:
    return of_bytes(OF_BERT, "[CLS]", "[SEP]")


def of_sentencepiece(special: tuple[str, ...], unknown: int, *ends: str) -> str:
    pieces = [(piece, 0.0) for piece in special] + [(piece, -2.0) for piece in ("▁", "▁good", "▁bad", *LETTERS)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=unknown))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return with_ends(tokenizer, *ends)


def of_xlm_roberta() -> str:
    return of_sentencepiece(OF_ROBERTA, 3, "<s>", "</s>")


def of_deberta() -> str:
    return of_sentencepiece(OF_BERT, 1, "[CLS]", "[SEP]")


DISTILBERT = {
    "vocab_size": 280,
    "dim": 16,
    "n_layers": 2,
    "n_heads": 2,
    "hidden_dim": 32,
    "max_position_embeddings": 66,
}
NARROW = SIZES | {"embedding_size": 8}
RELATIVE = {"relative_attention": True, "position_buckets": 8, "pos_att_type": ["p2c", "c2p"], "share_att_key": True}
RELATIVE |= {"position_biased_input": False, "type_vocab_size": 0, "norm_rel_ebd": "layer_norm"}
WINDOWS = {"pad_token_id": 0, "cls_token_id": 2, "sep_token_id": 3, "local_attention": 4, "num_hidden_layers": 4}
# A kind's config.json, less its name, and its tokenizer.
KINDS: dict[str, tuple[dict, Callable[[], str]]] = {
    "albert": (NARROW, of_deberta),
    "bert": (SIZES, of_bert),
    "camembert": (SIZES, of_xlm_roberta),
    "deberta-v2": (SIZES | RELATIVE, of_deberta),
    "distilbert": (DISTILBERT, of_bert),
    "electra": (NARROW, of_bert),
    "modernbert": (SIZES | WINDOWS, of_modernbert),
    "mpnet": (SIZES, of_mpnet),
    "roberta": (SIZES, of_roberta),
    "xlm-roberta": (SIZES, of_xlm_roberta),
}


def write_encoder(folder: Path, kind: str) -> Path:
    """The folder of a tiny encoder as the hub would have it; a RoBERTa of 66 positions reads 64 pieces."""
    sizes, tokenizer = KINDS[kind]
    config = {"model_type": kind} | sizes
    torch.manual_seed(1)
    encoder = new_encoder(read_config(config))
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, 0.1, 0.3)
    folder.mkdir(parents=True)
    save_file(encoder.state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "tokenizer.json").write_text(tokenizer(), encoding="utf-8")
    return folder
