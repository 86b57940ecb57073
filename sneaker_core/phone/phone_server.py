"""A server for phones: the same app, at one address of the local network, over HTTPS."""

import http.client
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sneaker_core.errors import SneakerError
from sneaker_core.phone.certificate import ensure_certificate
from sneaker_core.phone.lan_addresses import checked_address
from sneaker_core.settings import ADDRESS_VARIABLE, PASSWORD_VARIABLE, READ_ONLY_VARIABLE, checked_password
from sneaker_core.workspace.paths import PROJECT, WORKSPACE_VARIABLE, certificate_file

# Seconds to wait until the server answers.
_PATIENCE = 120.0
_LOOK_EVERY, _LONGEST_ANSWER = 0.1, 5.0
_HTTPS_PORT = 443


@dataclass(frozen=True)
class PhoneServer:
    """How the app is served.

    Attributes
    ----------
    workspace : Path
    host : str
        IPv4 address.
    port : int
    certificate : Path
        Its certificate and key.
    read_only : bool
    password : str or None
    """

    workspace: Path
    host: str
    port: int
    certificate: Path
    read_only: bool
    password: str | None

    @property
    def address(self) -> str:
        """The address to open in a browser, without a slash at the end, as browsers send it as their origin."""
        return f"https://{self.host}" + ("" if self.port == _HTTPS_PORT else f":{self.port}")

    def command(self) -> list[str]:
        """The command that starts it. Streamlit's checks stay on, and know this address only."""
        options = {
            "server.address": self.host,
            "server.port": self.port,
            "server.headless": "true",
            "server.sslCertFile": self.certificate,
            "server.sslKeyFile": self.certificate,
            "server.enableCORS": "true",
            "server.enableXsrfProtection": "true",
            "server.corsAllowedOrigins": self.address,
            "browser.serverAddress": self.host,
            "browser.serverPort": self.port,
        }
        flags = [f"--{name}={value}" for name, value in options.items()]
        return [sys.executable, "-m", "streamlit", "run", "asgi.py", *flags]

    def environment(self) -> dict[str, str]:
        """The variables that it needs beside those of this process; other users can't see them, unlike a command."""
        return {
            WORKSPACE_VARIABLE: str(self.workspace),
            READ_ONLY_VARIABLE: str(int(self.read_only)),
            ADDRESS_VARIABLE: self.address,
            PASSWORD_VARIABLE: self.password or "",
            # The address is printed once, with its code.
            "STREAMLIT_LOGGER_HIDE_WELCOME_MESSAGE": "true",
        }


def prepare_server(
    workspace: Path, *, host: str | None = None, port: int = 8501, read_only: bool = True, password: str | None = None
) -> PhoneServer:
    """Choose the address, and make the certificate if there is none that serves.

    Parameters
    ----------
    workspace : Path
    host : str, optional
        IPv4 address of this computer; by default the one that a phone most likely reaches.
    port : int
    read_only : bool
    password : str, optional

    Raises
    ------
    SneakerError
        There is no such address, the port is in use, the password is too short, or the certificate can't be written.
    """
    if password is not None:
        checked_password(password)
    host = checked_address(host)
    _check_free(host, port)
    certificate = ensure_certificate(certificate_file(workspace), host)
    return PhoneServer(workspace, host, port, certificate, read_only, password)


def _check_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SneakerError(
                f"Can't serve at {host}, port {port}: {error.strerror}. Choose another port with --port, or another "
                "address with --address."
            ) from error


def start_server(server: PhoneServer, variables: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start the server; returns once it answers.

    Parameters
    ----------
    server : PhoneServer
    variables : mapping, optional
        More environment variables.

    Raises
    ------
    SneakerError
        It ended, or took too long.
    """
    environment = {**os.environ, **server.environment(), **(variables or {})}
    process = subprocess.Popen(server.command(), cwd=PROJECT, env=environment)
    until = time.monotonic() + _PATIENCE
    try:
        while time.monotonic() < until and process.poll() is None:
            if _answers(server):
                return process
            time.sleep(_LOOK_EVERY)
    except BaseException:
        end_server(process)
        raise
    end_server(process)
    raise SneakerError(f"The server at {server.address} didn't start. The lines above say why.")


def _answers(server: PhoneServer) -> bool:
    """Whether the server answers, be it that a password is missing; it accepts connections before it can."""
    trust = ssl.create_default_context(cafile=server.certificate)
    connection = http.client.HTTPSConnection(server.host, server.port, timeout=_LONGEST_ANSWER, context=trust)
    try:
        connection.request("GET", "/_stcore/health")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def end_server(process: "subprocess.Popen[bytes]") -> None:
    """End a server, and wait until it has ended."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
