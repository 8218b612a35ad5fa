"""Parse the arguments of the command line, and say in `--help` what they can be."""

import argparse
import inspect
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.document import read_version
from cli import settings_help
from cli.command import Argument, Command, Settings

_USAGE_COLUMNS = 26
_COLUMNS = 100


class _PrintVersion(argparse.Action):
    """Print the version and exit. The version is read from the document only when it is wanted."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"tackboard {read_version()}")
        parser.exit()


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Keeps line breaks of descriptions, and is as wide as the list of settings."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=_USAGE_COLUMNS + 2, width=_COLUMNS)


def parse(commands: Mapping[str, Sequence[Command]], arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments: `command`, `config` if a file of settings is named, and fields of Settings.

    `commands` are by subject. Exits with a message if the arguments are invalid.
    """
    return _build_parser(commands).parse_args(arguments)


def get_arguments(parsed: argparse.Namespace) -> dict[str, Any]:
    """Return the parsed arguments that are fields of Settings."""
    return {name: value for name, value in vars(parsed).items() if name in Settings.__dataclass_fields__}


def _build_parser(commands: Mapping[str, Sequence[Command]]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tackboard",
        usage="tackboard [--config FILE] command ...",
        description="\n\n".join(["A kanban board as an API.", *_format_commands(commands)]),
        epilog=settings_help.format_settings(),
        formatter_class=_Formatter,
    )
    parser.add_argument("--version", action=_PrintVersion, nargs=0, help="print the version")
    _add_config_option(parser)
    subparsers = parser.add_subparsers(prog="tackboard", required=True, metavar="command", help=argparse.SUPPRESS)
    groups: dict[str, argparse._SubParsersAction[argparse.ArgumentParser]] = {}
    for command in (command for members in commands.values() for command in members):
        *group, name = command.name.split()
        if group and group[0] not in groups:
            groups[group[0]] = _add_group(subparsers, group[0], commands)
        _add_command(groups[group[0]] if group else subparsers, name, command)
    return parser


def _add_group(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    commands: Mapping[str, Sequence[Command]],
) -> "argparse._SubParsersAction[argparse.ArgumentParser]":
    """Add the commands that begin with the same word."""
    members = [one for several in commands.values() for one in several if one.name.startswith(f"{name} ")]
    group = subparsers.add_parser(
        name,
        usage=f"tackboard {name} command ...",
        description="\n".join(map(_format_command, members)),
        formatter_class=_Formatter,
    )
    _add_config_option(group)
    return group.add_subparsers(prog=f"tackboard {name}", required=True, metavar="command", help=argparse.SUPPRESS)


def _add_command(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, command: Command
) -> None:
    parser = subparsers.add_parser(
        name,
        description=inspect.getdoc(command.function),
        epilog=settings_help.SUMMARY,
        formatter_class=_Formatter,
    )
    for argument in command.arguments:
        _add_argument(parser, argument)
    _add_config_option(parser)
    parser.set_defaults(command=command)


def _add_argument(parser: argparse.ArgumentParser, argument: Argument) -> None:
    if argument.field == "is_confirmed":
        parser.add_argument(argument.metavar, dest=argument.field, action="store_true", help=argument.help)
    elif argument.metavar.startswith("--"):
        parser.add_argument(
            argument.metavar,
            dest=argument.field,
            metavar=argument.metavar[2:].upper(),
            required=True,
            help=argument.help,
        )
    else:
        parser.add_argument(
            argument.field,
            metavar=argument.metavar,
            help=argument.help,
            nargs="?" if argument.is_optional else None,
            type=Path if argument.field == "file" else str,
        )


def _add_config_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that names a file of settings, before or after the command."""
    # Without it there is no attribute: the default of a command would replace what was named before it.
    parser.add_argument(
        "--config", metavar="FILE", default=argparse.SUPPRESS, help="a TOML file with settings (TACKBOARD_CONFIG)"
    )


def _format_commands(commands: Mapping[str, Sequence[Command]]) -> list[str]:
    """Return a paragraph about the commands of each subject."""
    return ["\n".join([f"{subject}:", *map(_format_command, members)]) for subject, members in commands.items()]


def _format_command(command: Command) -> str:
    indent = " " * (_USAGE_COLUMNS + 2)
    first = f"  {command.usage:{_USAGE_COLUMNS - 1}} "
    return textwrap.fill(command.summary, _COLUMNS, initial_indent=first, subsequent_indent=indent)
