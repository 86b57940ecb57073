"""Pages opened, read and clicked as Streamlit's AppTest runs them: in this process, without a browser."""

import re

from streamlit.testing.v1 import AppTest

from tests.factories import PROJECT


def open_page(page: str, /, **query: str | list[str]) -> AppTest:
    """A page, opened with a link."""
    app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=120)
    for key, value in query.items():
        app.query_params[key] = value
    return again(app.switch_page(f"pages/{page}.py"))


def again(app: AppTest) -> AppTest:
    """Run the page, with what was entered."""
    app.run()
    assert not app.exception, [one.value for one in app.exception]
    return app


def click(app: AppTest, key: str) -> AppTest:
    """Click the button with a key."""
    app.button(key=key).click()
    return again(app)


def plain(text: str) -> str:
    """Markdown as a person reads it: without escapes."""
    return re.sub(r"\\([!-/:-@\[-`{-~])|\u2060", r"\1", text)


def words(app: AppTest) -> str:
    """Everything there is to read on the page."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "info", "success", "warning", "error")
    texts = [element.value for kind in kinds for element in app.get(kind)]
    return plain("\n".join(texts + [f"{one.label} {one.value}" for one in app.metric]))
