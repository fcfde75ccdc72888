package dev.apus.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.file.FormatException;
import dev.apus.core.file.ModelFiles;
import dev.apus.core.file.TensorFile;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Where the template of a folder is looked for. */
class TemplateSourceTest {

  /** A folder of these texts. */
  private record Folder(Map<String, String> texts) implements ModelFiles {

    @Override
    public String name() {
      return "folder";
    }

    @Override
    public byte[] read(String file) {
      String text = texts.get(file);
      return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public TensorFile tensors() {
      throw new FormatException("folder: no tensors");
    }
  }

  @Test
  void aFileOfItsOwnComesFirstAndAProcessorsLast() {
    Map<String, String> texts = new HashMap<>();
    assertNull(TemplateSource.of(new Folder(texts)));
    texts.put("chat_template.json", "{\"chat_template\": \"of the processor\"}");
    assertEquals(
        new TemplateSource("chat_template.json", "of the processor"),
        TemplateSource.of(new Folder(texts)));
    texts.put("tokenizer_config.json", "{\"bos_token\": \"<s>\"}");
    assertEquals("of the processor", TemplateSource.of(new Folder(texts)).source());
    texts.put("tokenizer_config.json", "{\"chat_template\": \"of the tokenizer\"}");
    assertEquals(
        new TemplateSource("chat_template", "of the tokenizer"),
        TemplateSource.of(new Folder(texts)));
    texts.put("chat_template.jinja", "its own");
    assertEquals("its own", TemplateSource.of(new Folder(texts)).source());
  }

  @Test
  void aProcessorsFileThatIsNoObjectIsSaid() {
    Folder folder = new Folder(Map.of("chat_template.json", "[1"));
    var e = assertThrows(RuntimeException.class, () -> TemplateSource.of(folder));
    assertTrue(e.getMessage().contains("folder/chat_template.json"), e.getMessage());
  }
}
