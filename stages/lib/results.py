"""The JSON files under results/, as claims and report read them."""

import json
from pathlib import Path


def read_json(path: Path) -> dict:
    """What a file holds; nothing, while no run has written it."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
