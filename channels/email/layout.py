"""The HTML part of an outgoing mail: one column without tables, styles on the elements, bright and dark.

Gmail and Outlook drop style sheets, so every rule stands on its elements; what remains in `<style>` is the rule for
dark screens, which only those programs read that also show them. Nothing sets a background: each program keeps its own.
"""

import html
import unicodedata

import css_inline

# 4.5:1 and more on white, and the second set on black: a program that turns colours itself turns these well.
_STYLE = """
body { margin: 0; padding: 0; }
.mail { max-width: 640px; padding: 16px; color: #1c1c1c; font-size: 15px; line-height: 1.5;
  font-family: -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif; overflow-wrap: break-word; }
.mail p { margin: 0 0 12px; }
.mail a { color: #0b57d0; }
.mail .cc-signature, .mail .cc-footer, .mail .gmail_attr { color: #666666; font-size: 13px; }
.mail .cc-signature { margin: 20px 0 12px; }
.mail .gmail_quote { margin: 20px 0 0; }
.mail .gmail_attr { margin: 0 0 8px; }
.mail blockquote { margin: 0 0 16px; padding: 0 0 0 12px; border-left: 2px solid #b8b8b8; color: #4a4a4a; }
@media (prefers-color-scheme: dark) {
  .mail { color: #e6e6e6 !important; }
  .mail a { color: #8ab4f8 !important; }
  .mail .cc-signature, .mail .cc-footer, .mail .gmail_attr, .mail blockquote { color: #b0b0b0 !important; }
}
"""
_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


def page(locale: str, content: str) -> str:
    """A whole HTML document around the content of a mail, in composed letters, as every font has them."""
    document = (
        f'<!doctype html><html lang="{html.escape(locale)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
        f'<style>{_STYLE}</style></head><body><div class="mail">{content}</div></body></html>'
    )
    return unicodedata.normalize("NFC", _INLINER.inline(document)) + "\n"
