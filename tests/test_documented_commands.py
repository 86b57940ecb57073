"""The documents show commands and options that exist, under their current names."""

import re
from dataclasses import fields

import click
import pytest

from sneaker_core.__main__ import main
from sneaker_core.commands.aliases import RenamedOption
from sneaker_core.training.recipe import Recipe
from tests.factories import PROJECT

PAGES = sorted([PROJECT / "README.md", PROJECT / "data" / "README.md", *(PROJECT / "docs").glob("*.md")])
HIDDEN = {"run-job"}
OPTION = re.compile(r"(?<!\S)--[a-z][a-z-]*")


def documented(program: str) -> list[tuple[str, str]]:
    """Page and rest of the line for each command that a page shows; continued lines are joined."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        found += [(page.name, rest) for rest in re.findall(rf"{program}([^`\n]*)", text)]
    return found


COMMANDS = documented(r"-m (?:-- )?sneaker_core ")
BENCHMARKS = documented(r"-m benchmarks\.")


def command_of(line: str) -> click.Command:
    """The command that a line calls; `KeyError` if there is none of that name in the help."""
    command: click.Command = main
    for word in line.split():
        if not isinstance(command, click.Group):
            break
        command = command.commands[word]
        if command.hidden and command.name not in HIDDEN:
            raise KeyError(word)
    return command


def shown_options(command: click.Command) -> set[str]:
    shown: set[str] = set()
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            shown |= set(option.opts[:1] if isinstance(option, RenamedOption) else option.opts)
    return shown


def unknown(line: str) -> list[str]:
    """What a line names that the help doesn't show."""
    try:
        command = command_of(line)
    except KeyError as error:
        return [str(error)]
    settings = {field.name for field in fields(Recipe)} | {"augmentation"}
    options = set(OPTION.findall(line.replace(",", " "))) - {"--help"}
    return sorted(options - shown_options(command)) + [
        name for name in re.findall(r"--set ([a-z_]+)=", line) if name not in settings
    ]


def test_the_documents_show_many_commands():
    assert len(COMMANDS) > 25
    assert len(BENCHMARKS) > 10


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_commands_and_options_are_those_of_the_help(page, line):
    assert unknown(line) == []


@pytest.mark.parametrize(("page", "line"), BENCHMARKS)
def test_benchmarks_and_their_options_exist(page, line):
    source = (PROJECT / "benchmarks" / f"{line.split()[0]}.py").read_text(encoding="utf-8")
    assert [option for option in OPTION.findall(line) if f'"{option}"' not in source] == []


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("tune shoes --study wide", ["'tune'"]),
        ("evaluations means mine", ["'means'"]),
        ("train shoes --recipe quick --others photos", ["--others"]),
        ("explain photo.jpg --out why.png # --check", ["--check"]),
        ("train shoes --recipe quick --set mirror=0", ["mirror"]),
    ],
)
def test_former_names_are_noticed(line, wrong):
    assert unknown(line) == wrong
