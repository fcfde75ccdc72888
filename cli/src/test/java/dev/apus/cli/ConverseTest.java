package dev.apus.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code apus chat} with lines from a pipe. */
class ConverseTest {

  @TempDir private Path folder;

  private static Cli chat(String lines, Object... options) {
    InputStream before = System.in;
    System.setIn(new ByteArrayInputStream(lines.getBytes(StandardCharsets.UTF_8)));
    try {
      List<Object> all = new ArrayList<>(List.of("chat", "--greedy"));
      all.addAll(List.of(options));
      if (!all.contains("-n")) {
        all.addAll(List.of("-n", "8"));
      }
      return Cli.run(all.toArray());
    } finally {
      System.setIn(before);
    }
  }

  @Test
  void turnsCanBeTakenBackAndForked() {
    Cli run =
        chat(
            """
            Once upon a time
            /undo
            Once upon a time
            /fork other
            and then \\
            they
            /switch main
            /show
            /switch
            /exit
            never said
            """);
    assertEquals(0, run.exitCode(), run.err());
    List<String> lines = run.out().lines().toList();
    assertEquals("the last turn is gone", lines.get(1));
    assertEquals(lines.get(0), lines.get(2), "the same answer again");
    assertEquals("now in other", lines.get(3));
    assertTrue(run.out().contains("user: Once upon a time\nassistant: " + lines.get(0)), run.out());
    assertFalse(run.out().contains("they"), "the other conversation is not shown");
    assertTrue(run.out().endsWith("main other; now in main\n"), run.out());
    assertTrue(run.err().contains("no chat template; what is said goes on as one text"));
  }

  @Test
  void aConversationGoesOnFromItsFile() {
    Path file = folder.resolve("talk");
    Cli first = chat("Once upon a time\n/save " + file + "\n and\n");
    Cli second = chat("/load " + file + "\n and\n/stats\n");
    assertEquals(0, second.exitCode(), second.err());
    assertEquals("2 messages", second.out().lines().findFirst().orElseThrow());
    assertEquals(first.out().lines().toList().getLast(), second.out().lines().toList().get(1));
    assertTrue(second.out().contains("prefix cache: "), second.out());
    assertFalse(chat("/stats\n", "--prefix-cache", "0").out().contains("prefix cache"));
  }

  @Test
  void aTemplateWritesTheConversation() throws IOException {
    Path template = folder.resolve("t.jinja");
    Files.writeString(
        template, "{% if style == 3 and loud %}{{ raise_exception('too loud') }}{% endif %}x");
    Cli run = chat("Hi\n", "--template", template, "--set", "style=3", "--set", "loud=true");
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains(template + ":1: the template refuses: too loud"), run.err());
    Files.writeString(template, "{% whatever %}");
    Cli broken = chat("Hi\n", "--template", template);
    assertEquals(3, broken.exitCode());
    assertTrue(broken.complaint().contains("\"whatever\" is not supported"), broken.err());
  }

  @Test
  void whatIsNoCommandIsSaid() {
    Cli run = chat("/dance\n/fork\n/load " + folder.resolve("no") + "\n");
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("there is no /dance; there are /undo"), run.err());
    assertTrue(run.err().contains("needed: a name"), run.err());
    assertTrue(run.err().contains("no"), run.err());
    assertEquals(2, chat("", "--prefix-cache", "-1").exitCode());
  }

  private static final String TOOLS =
      """
      [{"type": "function", "function": {"name": "time", "description": "Tells."}},
       {"name": "weather", "parameters": {"properties": {"city": {"enum": ["Ulm"]}},
                                          "required": ["city"]}}]
      """;

  @Test
  void toolsAreCalledAndWhatIsSaidNextIsWhatCameOfThem() throws IOException {
    Path tools = Files.writeString(folder.resolve("tools.json"), TOOLS);
    Path template =
        Files.writeString(
            folder.resolve("t.jinja"),
            "{% for m in messages %}[{{ m.role }}]{{ m.content }}\n{% endfor %}"
                + "{# <tool_call> #}[assistant]");
    Cli run =
        chat(
            "Rain?\nIt rains.\n/show\n",
            "-n",
            "60",
            "--template",
            template,
            "--tools",
            tools,
            "--tool-choice",
            "weather");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().startsWith("[weather {\"city\":\"Ulm\"}]\n"), run.out());
    assertTrue(run.out().contains("\ntool: It rains.\n"), run.out());
    Cli none = chat("Rain?\n", "--template", template, "--tools", tools, "--tool-choice", "none");
    assertEquals(0, none.exitCode(), none.err());
    Cli unknown = chat("", "--template", template, "--tools", tools, "--tool-choice", "tides");
    assertEquals(2, unknown.exitCode());
    assertTrue(unknown.err().contains("there is no tool tides; there are time, weather"));
    Files.writeString(template, "{{ messages[0].content }}");
    Cli silent = chat("", "--template", template, "--tools", tools);
    assertEquals(2, silent.exitCode());
    assertTrue(silent.err().contains("the template says nothing of calls"), silent.err());
    assertTrue(silent.err().contains("--tool-choice free offers"), silent.err());
    assertEquals(
        0, chat("", "--template", template, "--tools", tools, "--tool-choice", "free").exitCode());
    assertEquals(2, chat("", "--tool-choice", "none").exitCode());
    assertEquals(2, chat("", "--tools", tools, "--json").exitCode());
    Files.writeString(tools, "{}");
    assertTrue(chat("", "--tools", tools).err().contains("the tools are no list"));
  }

  @Test
  void answersMayHaveAForm() {
    Cli run = chat("Once\nAgain\n", "--json-schema", "{\"enum\": [10, 12]}");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().matches("(1[02]\n){2}"), run.out());
  }
}
