package dev.apus.core.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Templates against what jinja2 makes of them, and against those that mean harm. */
class TemplateTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Small templates of every construct, with jinja2's output; null where it fails. */
  static Stream<Arguments> cases() throws IOException {
    try (InputStream in = TemplateTest.class.getResourceAsStream("/templates/cases.json")) {
      JsonNode all = JSON.readTree(in);
      Map<?, ?> values = JSON.convertValue(all.get("values"), Map.class);
      return StreamSupport.stream(all.get("cases").spliterator(), false)
          .map(
              each ->
                  Arguments.of(
                      each.get("template").asText(),
                      each.get("text").isNull() ? null : each.get("text").asText(),
                      values));
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void cases(String template, String text, Map<String, Object> values) {
    if (text == null) {
      var e =
          assertThrows(TemplateException.class, () -> Template.of("chat", template).render(values));
      assertTrue(e.getMessage().startsWith("chat:1: "), e.getMessage());
    } else {
      assertEquals(text, Template.of("chat", template).render(values));
    }
  }

  @Test
  void anErrorNamesTheLineAndWhatIsNeeded() {
    assertEquals(
        "chat:3: \"message\" is not defined; needed: something with the member role",
        refusal("{% if true %}\n\n{{ message.role }}{% endif %}"));
    assertEquals(
        "chat:2: \"block\" is not supported; supported: if, for, set, macro, call, filter, with,"
            + " generation, break, continue, raw",
        refusal("\n{% block x %}"));
    assertEquals(
        "chat:1: the template refuses: no tools", refusal("{{ raise_exception('no tools') }}"));
  }

  private static String refusal(String template) {
    return assertThrows(
            TemplateException.class, () -> Template.of("chat", template).render(Map.of()))
        .getMessage();
  }

  /** What would run, grow or nest without end, or reach out of the template. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% set ns = namespace(s='x') %}{% for a in range(99) %}{% set ns.s = ns.s + ns.s %}"
            + "{% endfor %}",
        "{{ 'x' * 99999999999 }}",
        "{{ [0] * 99999999999 }}",
        "{{ range(999999999) }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% set ns = namespace() %}{% set ns.n = ns %}{{ ns }}",
        "{{ ''.join }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ 9 ** 99999 }}",
        "{{ 9223372036854775807 + 1 }}",
        "{% set s = 'x' * 60000000 %}{% for a in range(99999) %}{{ s.count('y') }}{% endfor %}",
      })
  void whatMeansHarmEndsWithAnError(String template) {
    assertTimeoutPreemptively(
        Duration.ofSeconds(60),
        () ->
            assertThrows(
                TemplateException.class, () -> Template.of("chat", template).render(Map.of())));
  }

  @Test
  void deepNestingIsRefused() {
    assertThrows(TemplateException.class, () -> Template.of("chat", "{{ " + "(".repeat(100_000)));
    assertThrows(
        TemplateException.class, () -> Template.of("chat", "{{ " + "-".repeat(100_000) + "1 }}"));
    assertThrows(
        TemplateException.class, () -> Template.of("chat", "{% if true %}".repeat(100_000)));
  }

  @Test
  void theTimeIsTheClocks() {
    Clock clock = Clock.fixed(Instant.parse("2025-01-02T15:04:05Z"), ZoneOffset.UTC);
    String template = "{{ strftime_now('%d %b %Y, %A %B %-d %H:%M:%S %I %p %j %y 100%%') }}";
    assertEquals(
        "02 Jan 2025, Thursday January 2 15:04:05 03 PM 002 25 100%",
        Template.of("chat", template).at(clock).render(Map.of()));
  }

  @Test
  void valuesAreNotChanged() {
    List<Object> list = List.of(1, 2);
    assertEquals(
        "[1, 2, 3][1, 2]",
        Template.of("chat", "{% set m = l + [3] %}{{ m }}{{ l }}").render(Map.of("l", list)));
  }
}
