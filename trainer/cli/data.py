"""``ul-train data check``: looks through training data before a run."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from trainer.cli.data_progress import Progress, progress_of
from trainer.config import ClipsData, DataConfig, PicturesData, read_recipe
from trainer.config.data import FileData
from ul_engine.errors import ConfigError

if TYPE_CHECKING:
    from trainer.data.check.report import DataReport

DEFAULT_SHEET = "data-check.png"

_SETTINGS = ("size_px", "num_valid", "min_px", "crop_scale", "crop_position", "captions")
_OF_PICTURES = ("fit", "bucket_step_px")
_OF_CLIPS = ("num_frames", "fps", "frame_stride")
_KINDS = {"size_px": int, "num_valid": int, "min_px": int, "crop_scale": float, "bucket_step_px": int}
_KINDS |= {"num_frames": int, "fps": float, "frame_stride": int}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    data = commands.add_parser("data", help="check training data: what is there, what is wrong, what the model sees")
    actions = data.add_subparsers(required=True, metavar="ACTION")
    check = actions.add_parser(
        "check",
        help="read all files once; say what was found, whether a run can start, and with which command",
        description="Read all files once and say what was found, what to do about it, and how to train on it. Ends "
        "with 0 if a run can start and with 1 if it cannot.",
    )
    _add_source(check)
    check.add_argument(
        "--sheet",
        nargs="?",
        const=DEFAULT_SHEET,
        metavar="FILE",
        help=f"write a contact sheet (PNG) of the tensors that the model will see (default: {DEFAULT_SHEET})",
    )
    check.add_argument("--json", metavar="FILE", help="write the report as JSON; - for standard output")
    check.add_argument("--processes", type=int, metavar="N", help="processes that read (default: one per core)")
    check.set_defaults(run=_run_check)
    sheet = actions.add_parser(
        "sheet",
        help="only draw the contact sheet: the very tensors that a run with these settings would see",
        description="Draw the contact sheet of a check without reading all files: for other settings of known data.",
    )
    _add_source(sheet)
    sheet.add_argument("--out", metavar="FILE", default=DEFAULT_SHEET, help=f"PNG file (default: {DEFAULT_SHEET})")
    sheet.set_defaults(run=_run_sheet)


def _add_source(action: argparse.ArgumentParser) -> None:
    """What to look at, and how it is used."""
    action.add_argument("path", nargs="?", metavar="PATH", help="folder, zip, tar, or folder of tar shards")
    action.add_argument("--config", type=Path, metavar="FILE", help="take the section data of this YAML recipe")
    _add_settings(action)
    action.add_argument("--progress", choices=("auto", "json", "off"), default="auto", help="news on standard error")
    action.add_argument("--seed", type=int, default=0, help="seed of the run, for the contact sheet (default: 0)")


def _add_settings(check: argparse.ArgumentParser) -> None:
    """The settings of `trainer.config.data` that matter to files, under the same names and with the same help."""
    group = check.add_argument_group("how the data is used", "the same settings as in a recipe's section data")
    group.add_argument("--clips", action="store_true", help="videos (default: pictures, if there are any)")
    group.add_argument("--flip", action="store_true", default=None, help=_help(FileData, "flip"))
    for model, names in ((FileData, _SETTINGS), (PicturesData, _OF_PICTURES), (ClipsData, _OF_CLIPS)):
        for name in names:
            group.add_argument(
                f"--{name.replace('_', '-')}",
                type=_KINDS.get(name, str),
                metavar="N" if name in _KINDS else "WORD",
                help=_help(model, name),
            )


def _help(model: type[FileData], name: str) -> str:
    text = (model.model_fields[name].description or "").rstrip(".")
    default = "chosen to suit the files" if name in ("size_px", "fit") else model.model_fields[name].default
    return f"{text[0].lower()}{text[1:]} (default: {default})".replace("%", "%%")


def _run_check(arguments: argparse.Namespace) -> int:
    data = data_from(arguments)
    progress = progress_of(arguments.progress)
    from trainer.data.check.checking import check_data  # torch: only once the arguments are known to be good
    from trainer.data.check.device import graphics_memory

    try:
        report = check_data(
            data, observe=progress.show, num_processes=arguments.processes, device_bytes=graphics_memory()
        )
        if arguments.sheet is not None:
            report = _with_sheet(report, arguments, progress)
    except KeyboardInterrupt:
        progress.clear()
        print("stopped; nothing was written", file=sys.stderr)
        return 130
    finally:
        progress.clear()
    return _tell(report, arguments)


def _run_sheet(arguments: argparse.Namespace) -> int:
    data = data_from(arguments)
    progress = progress_of(arguments.progress)
    from trainer.data.check.sheet import write_sheet

    try:
        write_sheet(data, arguments.out, seed=arguments.seed, observe=progress.show)
    except KeyboardInterrupt:
        progress.clear()
        print("stopped; nothing was written", file=sys.stderr)
        return 130
    finally:
        progress.clear()
    print(os.path.abspath(arguments.out))
    return 0


def data_from(arguments: argparse.Namespace) -> DataConfig:
    """The settings that the arguments name; raises ConfigError, DataError."""
    section = _section(arguments)
    given = {name: getattr(arguments, name) for name in ("flip", *_SETTINGS, *_OF_PICTURES, *_OF_CLIPS)}
    section |= {name: value for name, value in given.items() if value is not None}
    if arguments.path is not None:
        section["path"] = arguments.path
    if arguments.clips:
        section["kind"] = "clips"
    if "kind" not in section:
        section["kind"] = _kind_of(section)
    try:
        found: DataConfig = TypeAdapter(DataConfig).validate_python(section)
    except ValidationError as error:
        raise _explained(error) from error
    return found


def _section(arguments: argparse.Namespace) -> dict[str, Any]:
    """The recipe's section, empty without a recipe."""
    if arguments.config is not None:
        section = read_recipe(arguments.config).get("data") or {}
        if not isinstance(section, dict):
            raise ConfigError(f"{arguments.config}: a mapping of settings was expected", field="data")
        return dict(section)
    if arguments.path is None:
        raise ConfigError("name what to check: a folder or an archive, or a recipe with --config")
    return {}


def _kind_of(section: dict[str, Any]) -> str:
    """Clips where there are videos and no pictures, or where a setting of clips is made."""
    from trainer.data.collections import open_collection
    from trainer.data.kinds import samples_among

    if any(name in section for name in _OF_CLIPS):
        return "clips"
    entries = open_collection(section.get("path", "")).entries
    return "clips" if samples_among(entries, "clips") and not samples_among(entries, "pictures") else "pictures"


def _explained(error: ValidationError) -> ConfigError:
    """The first problem, with the name that the setting has."""
    first = error.errors()[0]
    kinds = ("pictures", "photographs", "clips", "scenes", "huggingface")
    field = ".".join(str(part) for part in first["loc"] if part not in kinds)
    if first["type"] == "extra_forbidden":
        return ConfigError("is no setting of this kind of data (pictures, clips)", field=field)
    return ConfigError(first["msg"].removeprefix("Value error, "), field=field or None)


def _with_sheet(report: "DataReport", arguments: argparse.Namespace, progress: Progress) -> "DataReport":
    """The report that says where the sheet is; where none can be made, standard error says why."""
    from trainer.data.check.sheet import write_sheet
    from ul_engine.errors import DataError

    try:
        write_sheet(report.data, arguments.sheet, seed=arguments.seed, observe=progress.show)
    except DataError as error:
        progress.clear()
        print(f"no contact sheet: {error}", file=sys.stderr)
        return report
    return report.model_copy(update={"sheet": os.path.abspath(arguments.sheet)})


def _tell(report: "DataReport", arguments: argparse.Namespace) -> int:
    from trainer.data.check.report import Verdict
    from trainer.data.check.text import report_text
    from ul_engine.whole_files import write_file

    text = report.model_dump_json(indent=1) + "\n"
    if arguments.json == "-":
        sys.stdout.write(text)
    else:
        print(report_text(report))
        if arguments.json is not None:
            write_file(arguments.json, text.encode())
            print(f"  {'report':<11} {os.path.abspath(arguments.json)}")
    return 1 if report.verdict is Verdict.BLOCKED else 0
