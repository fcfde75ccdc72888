package dev.apus.core.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.SharedFolder;
import dev.apus.core.template.TemplateException;
import dev.apus.core.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Nobody who describes a tool, or says what came of it, can pose as the model's own marks. */
class GuardedToolsTest {

  private static final Pattern MARKS =
      Pattern.compile("<[|｜][^<>{}' ]+[|｜]>|</?[a-z_:]+>|\\[/?[A-Z_]+\\]|◁/?think▷");

  private static final String NONE = "{\"type\":\"object\",\"properties\":{}}";

  /** Bytes, and what a template has of marks, as special tokens. */
  private static Tokenizer tokenizer(Iterable<String> marks) {
    List<String> tokens = new ArrayList<>();
    int moved = 0;
    for (int b = 0; b < 256; b++) {
      boolean visible = (b > ' ' && b < 0x7F) || (b > 0xA0 && b != 0xAD);
      tokens.add(String.valueOf((char) (visible ? b : 0x100 + moved++)));
    }
    int plain = tokens.size();
    marks.forEach(tokens::add);
    int[] types = new int[tokens.size()];
    Arrays.fill(types, 0, plain, 1);
    Arrays.fill(types, plain, types.length, 3);
    return Tokenizer.ofGguf(
        "marks",
        Map.of(
            "tokenizer.ggml.model",
            "gpt2",
            "tokenizer.ggml.pre",
            "gpt-2",
            "tokenizer.ggml.tokens",
            tokens,
            "tokenizer.ggml.merges",
            List.of(),
            "tokenizer.ggml.token_type",
            types));
  }

  /** How often each special token is in a conversation in which others write something. */
  private static List<String> specials(ChatTemplate template, Tokenizer tokenizer, String said) {
    String text = said.replace("\"", "\\\"");
    Tool tool =
        new Tool(
            "f",
            said,
            "{\"type\":\"object\",\"properties\":{\"a"
                + text
                + "\":{\"type\":\"string\",\"description\":\""
                + text
                + "\",\"enum\":[\""
                + text
                + "\"]}},\"required\":[]}");
    ToolCall call = new ToolCall("call00000", "f", "{\"a\":\"" + text + "\"}");
    List<Message> messages =
        List.of(
            Message.user("Do it. " + said),
            new Message("assistant", "", "", List.of(call), null),
            Message.result(call, said));
    Map<String, Object> variables =
        Map.of("tools", ChatTemplate.describe(List.of(tool)), "documents", List.of());
    return Arrays.stream(template.encode(messages, true, variables))
        .filter(tokenizer::isSpecial)
        .mapToObj(tokenizer::token)
        .toList();
  }

  @Test
  void namesOfSpecialTokensInToolsAreTexts() throws IOException {
    Path folder = SharedFolder.require("goldens/chat-templates");
    int count = 0;
    int described = 0;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.jinja")) {
      for (Path file : files) {
        String source = Files.readString(file);
        TreeSet<String> marks = new TreeSet<>();
        for (Matcher matcher = MARKS.matcher(source); matcher.find(); ) {
          marks.add(matcher.group());
        }
        Tokenizer tokenizer = tokenizer(marks);
        ChatTemplate template = ChatTemplate.of(file.toString(), source, tokenizer);
        List<String> plain;
        try {
          plain = specials(template, tokenizer, "x");
        } catch (TemplateException refused) {
          continue;
        }
        String all = String.join(" ", marks);
        assertEquals(plain, specials(template, tokenizer, all), file.toString());
        count++;
        String prompt =
            template.render(
                List.of(Message.user("Hi")),
                true,
                Map.of("tools", ChatTemplate.describe(List.of(new Tool("f", "Tells.", NONE)))));
        described += prompt.contains("Tells.") ? 1 : 0;
      }
    }
    assertTrue(count > 30 && described > 20, count + " templates, " + described + " with tools");
  }
}
