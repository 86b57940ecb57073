"""The command `catalog`: what is known of each sneaker and shoe type."""

from typing import Any

import click

from sneaker_core.commands.common import json_option, print_result


@click.command()
@click.argument("text", required=False, default="")
@json_option
def catalog(text: str, as_json: bool) -> None:
    """Show what the catalog knows of the sneakers and types of shoes that TEXT names.

    TEXT may be a name, a nickname, a brand, a line or a designer, however it is spelled. Without it, all names are
    listed.
    """
    from sneaker_core.catalog.entry_values import entry_values
    from sneaker_core.catalog.lookup import read_catalog
    from sneaker_core.catalog.search import search_all
    from sneaker_core.evaluation.class_results import bundled_results

    results = bundled_results()
    rows = [entry_values(entry, results.get(entry.name)) for entry in search_all(read_catalog(), text)]
    line = _details if text else _name
    print_result(rows, as_json, lambda: "\n".join(map(line, rows)) or f"The catalog knows nothing named {text!r}.")


def _name(row: dict[str, Any]) -> str:
    facts = (row.get("brand"), row.get("year"), row["category"])
    return f"{row['name']}  {', '.join(str(fact) for fact in facts if fact)}"


def _details(row: dict[str, Any]) -> str:
    lines = [_name(row)]
    lines += [f"  - {mark}" for mark in row.get("marks") or (row["distinction"],)]
    lines += [f"  + {row.get('strengths') or row['pros']}", f"  ! {row.get('weaknesses') or row['cons']}"]
    if result := row["result"]:
        mix_ups = f"; usually taken for {' or '.join(result['mix_ups'])}" if result["mix_ups"] else ""
        lines.append(f"  The bundled model is right on {result['right']} of {result['photos']} test photos{mix_ups}.")
    return "\n".join(lines)
