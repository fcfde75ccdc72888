package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.apus.core.template.Template;
import dev.apus.core.template.TemplateException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Published chat templates against what jinja2 makes of them; they are in the shared folder. */
class ChatTemplatesTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** When the answers were recorded. */
  private static final Clock THEN =
      Clock.fixed(Instant.parse("2025-01-02T00:00:00Z"), ZoneOffset.UTC);

  @Test
  void everyConversationIsWrittenAsTheReferenceWritesIt() throws IOException {
    Path folder =
        Shared.folder() == null ? null : Shared.folder().resolve("goldens/chat-templates");
    assumeTrue(folder != null && Files.isDirectory(folder), "needs the shared folder");
    JsonNode conversations = JSON.readTree(folder.resolve("conversations.json").toFile());
    JsonNode expected = JSON.readTree(folder.resolve("expected.json").toFile());
    List<String> wrong = new ArrayList<>();
    int count = 0;
    for (Map.Entry<String, JsonNode> template : expected.properties()) {
      Template read =
          Template.of(template.getKey(), Files.readString(folder.resolve(template.getKey())))
              .at(THEN);
      for (Map.Entry<String, JsonNode> text : template.getValue().properties()) {
        count++;
        String found = render(read, conversations.get(text.getKey()));
        String wanted = text.getValue().isNull() ? null : text.getValue().asText();
        if (!Objects.equals(found, wanted)) {
          wrong.add(template.getKey() + ", " + text.getKey());
        }
      }
    }
    System.out.println("chat templates: " + (count - wrong.size()) + " of " + count + " agree");
    assertEquals(List.of(), wrong);
  }

  /** The text, or null where the template refuses. What is null was not given to the reference. */
  private static String render(Template template, JsonNode conversation) {
    Map<String, Object> values = JSON.convertValue(conversation, new TypeReference<>() {});
    values.values().removeIf(Objects::isNull);
    try {
      return template.render(values);
    } catch (TemplateException e) {
      return null;
    }
  }
}
