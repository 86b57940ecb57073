"""The command `phone`: serve the app to phones on the local network."""

import signal
import sys
from pathlib import Path
from typing import Any

import click

from sneaker_core.commands.common import json_option, print_result
from sneaker_core.errors import SneakerError
from sneaker_core.settings import PASSWORD_VARIABLE


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True)
@click.option("--address", help="IPv4 address of this computer; by default the one that a phone most likely reaches.")
@click.option("--allow-changes", is_flag=True, help="Let phones save, change and delete; by default they only look.")
@click.option(
    "--password",
    envvar=PASSWORD_VARIABLE,
    show_envvar=True,
    prompt=True,
    prompt_required=False,
    hide_input=True,
    help="Ask everybody for it. Without a value, you type it unseen; others on this computer see a value given here.",
)
@json_option
@click.pass_obj
def phone(
    workspace: Path, port: int, address: str | None, allow_changes: bool, password: str | None, as_json: bool
) -> None:
    """Open SoleScope on your phone: serve it on the local network, over HTTPS, until Ctrl-C."""
    from sneaker_core.phone.lan_addresses import lan_addresses
    from sneaker_core.phone.phone_server import end_server, prepare_server, start_server

    server = prepare_server(workspace, host=address, port=port, read_only=not allow_changes, password=password or None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    process = start_server(server)
    try:
        values = {
            "address": server.address,
            "other_addresses": [one for one in lan_addresses() if one != server.host],
            "certificate": str(server.certificate),
            "read_only": server.read_only,
            "password": server.password is not None,
        }
        print_result(values, as_json, lambda: _text(values))
        if process.wait():
            raise SneakerError("The server ended. The lines above say why.")
    except KeyboardInterrupt:
        pass
    finally:
        end_server(process)


def _text(values: dict[str, Any]) -> str:
    """What to do with the phone, with the address as a code to scan."""
    access = (
        "Phones can look but can't save or change anything." if values["read_only"] else "Phones can change everything."
    )
    asked = "They are asked for the password." if values["password"] else "There is no password (--password sets one)."
    others = values["other_addresses"]
    return "\n".join(
        [
            *_code(values["address"]),
            "",
            f"On your phone, on the same Wi-Fi, open  {click.style(values['address'], bold=True)}",
            "The browser warns once, because SoleScope made the certificate itself. Choose to continue.",
            f"{access} {asked}",
            *([f"Not reachable? Try --address {' or '.join(others)}."] if others else []),
            "Press Ctrl-C to stop.",
        ]
    )


def _code(address: str) -> list[str]:
    """The address as a QR code, if this terminal can show it."""
    from sneaker_core.phone.qr_code import qr_lines

    lines = qr_lines(address)
    try:
        "".join(lines).encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return []
    return [click.style(line, fg="black", bg="bright_white") for line in lines]
