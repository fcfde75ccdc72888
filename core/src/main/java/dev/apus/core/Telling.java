package dev.apus.core;

import dev.apus.core.chat.AnswerReader;
import dev.apus.core.chat.ChatTemplate;
import dev.apus.core.chat.Part;
import dev.apus.core.chat.Tool;
import dev.apus.core.generate.StopReason;
import dev.apus.core.generate.Token;
import dev.apus.core.generate.Usage;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** An answer while it is given: its parts, and the text that the session's new tokens stand for. */
final class Telling {

  private final ChatTemplate template;
  private final AnswerReader reader;
  private final List<Part> parts = new ArrayList<>();
  private final StringBuilder written = new StringBuilder();
  private final StringBuilder plain = new StringBuilder();

  Telling(ChatTemplate template, String prompt, List<Tool> tools, Consumer<? super Part> listener) {
    this.template = template;
    this.reader =
        template.reader(
            prompt,
            tools,
            part -> {
              parts.add(part);
              listener.accept(part);
            });
  }

  /**
   * One more token.
   *
   * @param ends whether it ends the answer, and so is not in the session
   */
  void accept(Token token, boolean ends) {
    reader.text(token.text());
    plain.append(token.text());
    String special = template.special(token.id());
    if (special != null) {
      reader.special(special);
      if (!ends) {
        settle();
        written.append(special);
      }
    }
  }

  private void settle() {
    written.append(template.guarded(plain.toString()));
    plain.setLength(0);
  }

  Answer answer(StopReason reason, Usage usage) {
    reader.end();
    return new Answer(parts, reason, usage);
  }

  /** The answer as {@link ChatTemplate#write} would write it. */
  String written() {
    settle();
    return written.toString();
  }
}
