"""Former names of commands and options: accepted, but not shown in help."""

import copy
from typing import Any

import click


class RenamedOption(click.Option):
    """An option whose former names, all but the first ``--name``, stay out of the help text."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The option's line in the help text, with its current name only."""
        shown = copy.copy(self)
        shown.opts = self.opts[:1]
        return super(RenamedOption, shown).get_help_record(ctx)


def hidden_alias(command: click.Command, name: str) -> click.Command:
    """The command under a former name, not listed in help."""
    alias: Any = copy.copy(command)
    alias.name, alias.hidden = name, True
    return alias  # type: ignore[no-any-return]
