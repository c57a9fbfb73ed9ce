"""Jinja environments, one per locale, over the template folders of all areas; rendering is sync and cached."""

import contextlib
import hashlib
import os
import pickle
import sys
import threading
from collections.abc import Callable, Hashable, Iterable, Mapping, MutableMapping, Sequence
from functools import cache, lru_cache
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any, ClassVar

import jinja2
from markupsafe import Markup

from contact_center.core import i18n
from contact_center.version import VERSION

# So many parts of pages are kept per locale, of some 2 kB each.
REMEMBERED = 2_000


# What compiled code depends on beside the template and Python. All languages share it, and Jinja works out what follows
# from constants while it compiles: a filter that depends on the language takes the context, which is none.
OPTIONS: Mapping[str, Any] = {
    "autoescape": True,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "extensions": ["jinja2.ext.i18n"],
}


class Compiled(jinja2.BytecodeCache):
    """Compiled templates lie where Python keeps its compiled modules: compiling all of them takes seconds.

    Where that folder cannot be written, or Python is told not to, each process compiles for itself, once.
    """

    kept: ClassVar[dict[str, bytes]] = {}

    def __init__(self, filters: Iterable[Callable[..., Any]]) -> None:
        # How a filter is called is compiled into the templates that use it, so the modules they come from count too.
        modules = sorted({sys.modules[one.__module__].__file__ or "" for one in filters})
        made_with = hashlib.sha256(f"{jinja2.__version__} {OPTIONS} {VERSION}".encode())
        for module in modules:
            made_with.update(Path(module).read_bytes())
        self._made_with = made_with.hexdigest()[:8]

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """The path of the compiled file; it holds a digest of its source, so a changed template is compiled anew."""
        source = Path(filename or name)
        return str(Path(cache_from_source(str(source))).with_name(f"{source.name}.{self._made_with}.pyc"))

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        # A damaged file is written anew.
        with contextlib.suppress(OSError, EOFError, pickle.UnpicklingError):
            bucket.bytecode_from_string(self.kept.get(bucket.key) or Path(bucket.key).read_bytes())

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()
        if sys.dont_write_bytecode:
            return
        path = Path(bucket.key)
        made = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            made.write_bytes(self.kept[bucket.key])
            made.replace(path)


class Environment(jinja2.Environment):
    """Templates here have no globals of their own, so they share a plain dictionary.

    Jinja would lay an empty one over it for each, and then compare the two by name at every import: a fifth of the
    time of a page whose rows import their macros.
    """

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return super().make_globals(d) if d else self.globals


class Templates:
    """Renders templates by locale. `folders` are searched in order; `names` are globals and filters of all."""

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        functions: Mapping[str, Any] | None = None,
        filters: Mapping[str, Callable[..., Any]] | None = None,
    ) -> None:
        self._loader = jinja2.FileSystemLoader([str(folder) for folder in folders])
        self._globals = dict(functions or {})
        self._filters = dict(filters or {})
        self.environment = cache(self._environment)

    def _environment(self, locale: str) -> jinja2.Environment:
        environment = Environment(
            loader=self._loader,
            undefined=jinja2.StrictUndefined,
            auto_reload=False,
            cache_size=400,
            bytecode_cache=Compiled(self._filters.values()),
            **OPTIONS,
        )
        environment.install_gettext_translations(i18n.translations(locale), newstyle=True)  # type: ignore[attr-defined]
        environment.globals.update(self._globals, locale=locale, remembered=_remembering(environment))
        environment.filters.update(self._filters)
        return environment

    def forget(self, locale: str) -> None:
        """Render every remembered part anew."""
        remembered: Any = self.environment(locale).globals["remembered"]
        remembered.cache_clear()

    def warm(self) -> None:
        """Load every template, so that nobody's first page waits; seconds the first time, so run it in a thread."""
        for locale in i18n.LOCALES:
            environment = self.environment(locale)
            for name in environment.list_templates(extensions=["html"]):
                environment.get_template(name)

    def render(self, locale: str, name: str, /, **values: Any) -> str:
        """A whole template."""
        return self.environment(locale).get_template(name).render(**values)

    def render_block(self, locale: str, name: str, block: str, /, **values: Any) -> str:
        """One block of a template: the live update of what the first page showed."""
        template = self.environment(locale).get_template(name)
        context = template.new_context(values)
        return "".join(template.blocks[block](context))

    def macro(self, locale: str, name: str, macro: str) -> Callable[..., str]:
        """A macro of a template, as a function."""
        module = self.environment(locale).get_template(name).make_module()
        function: Callable[..., str] = getattr(module, macro)
        return function


def _remembering(environment: jinja2.Environment) -> Callable[..., Markup]:
    """`remembered("parts/row.html", row=row)`: a template whose text follows from frozen values alone.

    Lists are drawn again and again, each time with few rows that changed.
    """

    @lru_cache(REMEMBERED)
    def remembered(name: str, **values: Hashable) -> Markup:
        return Markup(environment.get_template(name).render(**values))

    return remembered
