"""The tests' BERT: narrow layers with random weights, and a tokenizer of some words and letters."""

import json
from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from stages.common.files import sha256

ENCODER_FILES = ("config.json", "model.safetensors", "tokenizer.json")
SPECIAL_PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
OPINIONS = [["bad", "awful", "dull", "hated"], ["good", "great", "fine", "loved"]]  # by class
NEUTRAL = ["film", "the", "was", "a", "story", "and", "it", "is", "plot", "acting"]
LETTERS = "bcdefghijklmnopqrstuvwxyz!,.'?:;-()"
PIECES = [*SPECIAL_PIECES, "good", "bad", "film", "##s", "##ing", *OPINIONS[0][1:], *OPINIONS[1][1:], *NEUTRAL[1:]]
PIECES += LETTERS
BERT = {
    "model_type": "bert",
    "vocab_size": len(PIECES),
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
}


def checksums(folder: Path) -> dict[str, str | None]:
    """What params.yaml says of the files that a folder holds."""
    return {name: sha256(folder / name) if (folder / name).is_file() else None for name in ENCODER_FILES}


def bytes_of(folder: Path | str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def tokenizer_of(*pieces: str) -> str:
    """The tokenizer.json of a BERT with such pieces."""
    tokenizer = Tokenizer(models.WordPiece({piece: number for number, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    if set(SPECIAL_PIECES) <= set(pieces):
        ends = [(piece, pieces.index(piece)) for piece in ("[CLS]", "[SEP]")]
        tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    return tokenizer.to_str()


def write_encoder(folder: Path, pieces: list[str] = PIECES, config: dict = BERT) -> Path:
    """A folder, made if need be, of such a BERT's files."""
    import torch  # here, as most tests do without these slow imports
    from safetensors.torch import save_file
    from transformers import BertConfig, BertModel

    torch.manual_seed(1)
    encoder = BertModel(BertConfig(**config), add_pooling_layer=False)
    for parameter in encoder.parameters():  # no layer is then nearly without effect, no bias 0 and no scale 1
        parameter.data += 0.3 * torch.randn_like(parameter)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(encoder.state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "tokenizer.json").write_text(tokenizer_of(*pieces), encoding="utf-8")
    return folder
