package dev.apus.core.template;

/**
 * A text of which somebody said that it is safe to show in a web page: what is added to it is
 * escaped. Chat templates have no web pages, but jinja2 does so, and some templates say it.
 */
record Markup(String text) {

  Markup plus(Object other) {
    return new Markup(text + escaped(other));
  }

  /** A text that comes before one. */
  Markup after(Object other) {
    return new Markup(escaped(other) + text);
  }

  private static String escaped(Object other) {
    return other instanceof Markup markup ? markup.text : escape(Values.text(other));
  }

  static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("'", "&#39;")
        .replace("\"", "&#34;");
  }

  /** A value as everything but {@code +} takes it. */
  static Object plain(Object value) {
    return value instanceof Markup markup ? markup.text : value;
  }
}
