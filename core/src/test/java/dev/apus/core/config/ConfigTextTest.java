package dev.apus.core.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What {@link Config} makes of texts that are malformed, too deep, too large or strangely spelled.
 */
class ConfigTextTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"a\": 1,\\n"
            + " \"a\": 2}|config.json:2: column 2: key \"a\" is here a second time; first on line"
            + " 1",
        "{\"a\": {\"b\": 1, \"b\": 2}}|config.json:1: column 16: key \"b\" is here a second time;"
            + " first on line 1",
        "{\"a\": 1|config.json:1: column 8: the text ends here, unfinished",
        "[1]|config.json:1: column 1: needs an object, {…}, at the top",
        "{} {}|config.json:1: column 4: something follows the end of the document",
        "{\"a\": \"\\ud800\"}|config.json:1: column 7: half a character (a lone surrogate) in"
            + " \"\\u{d800}\"",
        "{\\n\"a\": \"?|config.json:2: column 7: not UTF-8 at byte 8",
        "{\"a\": 01}|config.json:1: column 8: not JSON: Invalid numeric value: Leading zeroes not"
            + " allowed",
        "{\"a\": 1e99999999999}|config.json:1: column 7: a number that is too large for any use",
        "{'a': 1}|config.json:1: column 2: not JSON: Unexpected character (''' (code 39)): was"
            + " expecting double-quote to start field name",
        "{\"a\": 1,}|config.json:1: column 9: not JSON: Unexpected character ('}' (code 125)): was"
            + " expecting double-quote to start field name",
      })
  void saysWhereTheTextIsMalformed(String text, String message) {
    byte[] json = text.replace("\\n", "\n").getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < json.length; i++) {
      json[i] = json[i] == '?' ? (byte) 0xFF : json[i];
    }
    assertMessage(message, () -> Config.parse("config.json", json));
  }

  @Test
  void depthIsLimited() {
    String deep = "{\"a\":".repeat(63) + "[]" + "}".repeat(63);
    parse(deep);
    assertMessage(
        "config.json:1: column 321: nested more than 64 deep",
        () -> parse("{\"a\":".repeat(64) + "[]" + "}".repeat(64)));
    assertMessage(
        "config.json:1: column 69: nested more than 64 deep",
        () -> parse("{\"a\":" + "[".repeat(1_000_000)));
  }

  @Test
  void sizeIsLimited() {
    assertMessage(
        "config.json: is larger than 4 MiB, too large for settings",
        () -> parse("{" + " ".repeat(4 << 20) + "}"));
  }

  @Test
  void namesAndValuesAreShortAndPrintableInMessages() {
    Config odd = parse("{\"a\\nb\": \"" + "x".repeat(1000) + "\"}");
    assertMessage(
        "config.json:1: a\\u{a}b=\""
            + "x".repeat(120)
            + "… (1000 characters)\" must be true or false",
        () -> odd.flag("a\nb"));
    Config nested = parse("{\"c\\r\": {\"\\u0007\": 1}}");
    nested.section("c\r");
    assertEquals(List.of("c\\u{d}.\\u{7}"), nested.unread());
  }

  @Test
  void messagesAreTheSameInEveryLocale() {
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
      assertEquals("config.json: 12 layers", parse("{}").error("%d layers", 12).getMessage());
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void readsFiles(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("config.json"), "{\"hidden_size\": 66}");
    assertEquals(66, Config.read(file).positive("hidden_size"));
    Path missing = folder.resolve("missing.json");
    assertMessage(
        "missing.json: is not there; needed: a JSON file at " + missing,
        () -> Config.read(missing));
    assertMessage(
        folder.getFileName() + ": is no file; needed: a JSON file at " + folder,
        () -> Config.read(folder));
    Path large = Files.write(folder.resolve("large.json"), new byte[(4 << 20) + 1]);
    assertMessage(
        "large.json: is larger than 4 MiB, too large for settings", () -> Config.read(large));
  }

  private static Config parse(String text) {
    return Config.parse("config.json", text.getBytes(StandardCharsets.UTF_8));
  }

  private static void assertMessage(String message, Runnable call) {
    assertEquals(message, assertThrows(ConfigException.class, call::run).getMessage());
  }
}
