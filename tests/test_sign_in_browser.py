"""Signing in at an identity provider: nothing is shown before, everything after, and nothing after signing out."""

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.browser import PHONE, free_port, serve, settle
from tests.identity_provider import CLIENT, SECRET, serve_provider
from ui.sign_in.signed_in_only import NEEDED

pytestmark = pytest.mark.timeout(300)


def write_secrets(path: Path, app: str, provider: str) -> Path:
    path.write_text(
        f'[auth]\nredirect_uri = "{app}/oauth2callback"\ncookie_secret = "long and random, in a test it is neither"\n'
        f'client_id = "{CLIENT}"\nclient_secret = "{SECRET}"\n'
        f'server_metadata_url = "{provider}/.well-known/openid-configuration"\n',
        encoding="utf-8",
    )
    return path


def test_pages_and_api_are_for_people_who_signed_in(browser: Browser, tmp_path: Path):
    port = free_port()
    with serve_provider(free_port()) as provider:
        secrets = write_secrets(tmp_path / "secrets.toml", f"http://localhost:{port}", provider)
        variables = {"SOLESCOPE_WORKSPACE": str(tmp_path / "home"), "STREAMLIT_SECRETS_FILES": str(secrets)}
        with serve(tmp_path / "server.log", variables, port=port) as address:
            assert httpx.get(f"{address}/api/models").json() == {"error": NEEDED}
            assert httpx.get(f"{address}/api/health").status_code == 200
            for file in ("", "/", "/index.html", "/service-worker.js", "/model.onnx"):
                assert httpx.get(f"{address}/phone{file}").json() == {"error": NEEDED}
            forged = httpx.get(f"{address}/api/models", headers={"Cookie": "_streamlit_user=forged"})
            assert forged.status_code == 401
            context = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]})
            page = context.new_page()
            page.goto(f"{address}/runs")
            expect(page.get_by_role("heading", name="Sign in to SoleScope")).to_be_visible(timeout=60_000)
            assert page.get_by_role("link", name="Runs").count() == 0
            page.get_by_role("button", name="Sign in").click()
            expect(page.get_by_role("heading", name="What are those?")).to_be_visible(timeout=60_000)
            settle(page)
            status = "async () => Promise.all(['/api/models', '/phone/'].map(async one => (await fetch(one)).status))"
            assert page.evaluate(status) == [200, 404]  # the page for phones isn't built
            page.goto(f"{address}/sign_out")
            expect(page.get_by_role("heading", name="Sign in to SoleScope")).to_be_visible(timeout=60_000)
            assert page.evaluate(status) == [401, 401]
            context.close()
