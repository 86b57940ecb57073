"""Links from page to page, followed as in a browser."""

from collections.abc import Mapping
from urllib.parse import parse_qs

from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest


def link_labels(app: AppTest) -> list[str]:
    """The labels of all links to other pages."""
    return [link.proto.label for link in app.get("page_link")]


def follow_link(app: AppTest, label: str) -> AppTest:
    """Open the page that a link leads to, with the address that the link names."""
    link = next(link.proto for link in app.get("page_link") if link.proto.label == label)
    app.query_params.clear()
    for name, values in parse_qs(link.query_string).items():
        app.query_params[name] = values
    app.switch_page(f"pages/{link.page or 'identify'}.py").run()
    assert not app.exception
    return app


def change_address(app: AppTest, params: Mapping[str, str | list[str]]) -> AppTest:
    """Go to another address of the page that is shown, as a link or Back does: the browser sends no widget's state."""
    app.query_params.clear()
    for name, value in params.items():
        app.query_params[name] = value
    app._run(WidgetStates())
    assert not app.exception
    return app
