# One image for web, worker and migrate: docker-compose.yml says which verb each of them runs.
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY contact_center contact_center
COPY channels channels
COPY routing routing
COPY tickets tickets
COPY agent_ui agent_ui
COPY knowledge_base knowledge_base
RUN python -m venv /app && /app/bin/pip install --no-cache-dir . \
  && /app/bin/python -c "from contact_center import wiring; wiring.templates().warm()"

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin contact && install -d -o contact -g contact /data
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 \
    CONTACT_CENTER_DATA_DIR=/data \
    CONTACT_CENTER_HOST=0.0.0.0 \
    CONTACT_CENTER_LOG_FORMAT=json
USER contact
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["contact-center", "serve"]
