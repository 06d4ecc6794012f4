"""Options of ``ul-engine models`` and its commands."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ul_engine.cli.arguments.shared import lazily

if TYPE_CHECKING:
    from ul_engine.cli.arguments.shared import Commands

_LOCAL = "ul_engine.cli.models"
_HUB = "ul_engine.cli.hub"
_MODEL = "folder of a model, or the name of one in the list"


def add(commands: "Commands") -> None:
    """Models in and out."""
    command = commands.add_parser("models", help="list models, and bring them in and out (Hugging Face Hub, folders)")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=lazily(_LOCAL, "list_command"))
    own = command.add_subparsers(metavar="COMMAND")
    _add_local(own)
    _add_download(own)
    _add_weights(own)
    _add_publish(own)
    search = own.add_parser("search", help="models on the Hub that this program can run")
    search.add_argument("query", nargs="?", default="", help="words in their names (default: all)")
    search.add_argument("--limit", type=int, default=20, help="at most so many (default: 20)")
    _add_json(search)
    _add_hub(search)
    search.set_defaults(run=lazily(_HUB, "search_command"))


def _add_local(own: "Commands") -> None:
    listing = own.add_parser("list", help="bundled models and your own (the same as models alone)")
    _add_json(listing)
    listing.set_defaults(run=lazily(_LOCAL, "list_command"))
    info = own.add_parser("info", help="all that a model says about itself")
    info.add_argument("model", help=_MODEL)
    _add_json(info)
    info.set_defaults(run=lazily(_LOCAL, "info_command"))
    verify = own.add_parser("verify", help="compare every weight file with its SHA-256")
    verify.add_argument("model", help=_MODEL)
    verify.set_defaults(run=lazily(_LOCAL, "verify_command"))
    importing = own.add_parser("import", help="copy a model folder, or a zip of one, among your models")
    importing.add_argument("path", type=Path, help="folder or zip")
    _add_place(importing)
    importing.set_defaults(run=lazily(_LOCAL, "import_command"))
    remove = own.add_parser("remove", help="remove one of your models, or an unfinished download")
    remove.add_argument("model", help="its name in the list, or the user/name of the download")
    remove.add_argument("--yes", action="store_true", help="do not ask")
    remove.set_defaults(run=lazily(_LOCAL, "remove_command"))


def _add_download(own: "Commands") -> None:
    download = own.add_parser("download", help="fetch a model from the Hugging Face Hub; a stopped one goes on")
    download.add_argument("repo", help="user/name, or the address of its page")
    download.add_argument("--revision", default="main", help="branch, tag or commit (default: main)")
    download.add_argument("--to", type=Path, metavar="FOLDER", help="put it here (default: your models)")
    _add_place(download)
    _add_hub(download)
    download.set_defaults(run=lazily(_HUB, "download_command"))


def _add_weights(own: "Commands") -> None:
    weights = own.add_parser("weights", help="fetch the weights behind FID, FVD or LPIPS from a repository you name")
    weights.add_argument("repo", help="user/name of the repository")
    weights.add_argument("file", help="file at its top, such as pt_inception-2015-12-05-6726825d.pth")
    weights.add_argument("--revision", default="main", help="branch, tag or commit (default: main)")
    weights.add_argument("--to", type=Path, metavar="FOLDER", help="put it here (default: where metrics look)")
    _add_hub(weights)
    weights.set_defaults(run=lazily(_HUB, "weights_command"))


def _add_publish(own: "Commands") -> None:
    publish = own.add_parser("publish", help="put a model on the Hugging Face Hub, with a card")
    publish.add_argument("model", help=_MODEL)
    publish.add_argument("repo", help="user/name; made if it does not exist")
    publish.add_argument("--private", action="store_true", help="make a new repository private")
    publish.add_argument("--branch", "--revision", help="branch to publish to (default: main)")
    publish.add_argument("--license", default="", metavar="ID", help="licence for the card, such as apache-2.0")
    publish.add_argument("--new-card", action="store_true", help="replace the README.md by a generated card")
    publish.add_argument("--dry-run", action="store_true", help="only say what would be sent, and print the card")
    _add_hub(publish)
    publish.set_defaults(run=lazily(_HUB, "publish_command"))


def _add_json(command: argparse.ArgumentParser) -> None:
    """The same switch may stand before the sub-command, hence no default here."""
    command.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")


def _add_place(command: argparse.ArgumentParser) -> None:
    command.add_argument("--name", help="name of its folder (default: its own)")
    command.add_argument("--replace", action="store_true", help="replace the model that has this name")


def _add_hub(command: argparse.ArgumentParser) -> None:
    command.add_argument("--token", help="access token (better: HF_TOKEN or `hf auth login`, which nobody sees)")
    command.add_argument("--endpoint", metavar="URL", help="a mirror of the Hub (default: HF_ENDPOINT)")
