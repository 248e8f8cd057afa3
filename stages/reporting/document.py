"""The report as one HTML document that needs nothing else and lets nothing else run."""

import base64
import hashlib
from pathlib import Path

import altair
import vl_convert
from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).parent / "page"


def document(charts: dict[str, dict], **content: object) -> str:
    """The page; the browser refuses every script but those whose checksums are in its head.

    charts: Vega-Lite by the names that the page's templates use.
    """
    vega_lite = ".".join(altair.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    scripts = [vl_convert.javascript_bundle(vl_version=vega_lite), (FOLDER / "page.js").read_text(encoding="utf-8")]
    template = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("page.html")
    return template.render(
        scripts=scripts,
        checksums=[checksum(script) for script in scripts],
        style=(FOLDER / "page.css").read_text(encoding="utf-8"),
        charts=charts,
        **content,
    )


def checksum(script: str) -> str:
    """As a Content Security Policy names a script (https://www.w3.org/TR/CSP3/#framework-directive-source-list)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
