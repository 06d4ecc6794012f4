"""YAML as people write it: scripts as blocks, keys in the order given."""

from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Blocks for text of several lines."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def yaml_text(*documents: dict[str, Any]) -> str:
    """One or several documents, quoted by the YAML library wherever a value could be misread."""
    texts = [yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=1000) for document in documents]
    return "---\n".join(texts)
