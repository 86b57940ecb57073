# SoleScope in a container: docs/DEPLOYMENT.md says how to build and run it.
FROM python:3.11-slim

# Options for pip, such as an index with CPU builds of torch, which are a tenth of the size.
ARG PIP_OPTIONS=""

WORKDIR /app
COPY requirements.txt .
RUN python -m pip install --no-cache-dir --disable-pip-version-check $PIP_OPTIONS -r requirements.txt

COPY .streamlit .streamlit
COPY asgi.py streamlit_app.py LICENSE ./
COPY sneaker_core sneaker_core
COPY ui ui
COPY pages pages
COPY models models
COPY data data

# The app runs as a user without rights. The workspace, with everything that users make, is a volume of its own.
RUN useradd --create-home --uid 10001 solescope && mkdir /workspace && chown solescope /workspace
USER solescope
ENV SOLESCOPE_WORKSPACE=/workspace \
    PYTHONUNBUFFERED=1
VOLUME /workspace

EXPOSE 8501
# An answer below 500 is a sign of health: with a password, it is 401.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8501, timeout=8); c.request('GET', '/_stcore/health'); raise SystemExit(c.getresponse().status >= 500)"]
CMD ["python", "-m", "streamlit", "run", "asgi.py", "--server.address=0.0.0.0", "--server.port=8501", "--server.headless=true"]
