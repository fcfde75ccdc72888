package dev.apus.core.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Locale;

/** The ids that stand before and after every text. */
record Template(int[] before, int[] after) {

  static final Template NONE = new Template(new int[0], new int[0]);

  static Template read(Section section, Vocabulary vocabulary) {
    return switch (section.type()) {
      case "Sequence" -> {
        List<Template> adding =
            section.only("type", "processors").children("processors").stream()
                .map(each -> read(each, vocabulary))
                .filter(template -> template.before.length + template.after.length > 0)
                .toList();
        if (adding.size() > 1) {
          throw section.wrong("processors", "at most one that adds tokens");
        }
        yield adding.isEmpty() ? NONE : adding.getFirst();
      }
      case "ByteLevel" -> {
        section.only("type", "add_prefix_space", "trim_offsets", "use_regex");
        yield NONE;
      }
      case "TemplateProcessing" -> template(section, vocabulary);
      case "BertProcessing" -> between(section.only("type", "sep", "cls"), vocabulary);
      case "RobertaProcessing" ->
          between(
              section.only("type", "sep", "cls", "trim_offsets", "add_prefix_space"), vocabulary);
      default ->
          throw section.unsupported(
              "Sequence", "ByteLevel", "TemplateProcessing", "BertProcessing", "RobertaProcessing");
    };
  }

  private static Template between(Section section, Vocabulary vocabulary) {
    return new Template(
        new int[] {second(section, "cls", vocabulary)},
        new int[] {second(section, "sep", vocabulary)});
  }

  /** The id in a pair of a token and its id. */
  private static int second(Section section, String key, Vocabulary vocabulary) {
    JsonNode pair = section.node().path(key);
    if (pair.size() != 2) {
      throw section.wrong(key, "a pair of a token and its id");
    }
    return checked(section, key, pair.get(1), vocabulary);
  }

  private static Template template(Section section, Vocabulary vocabulary) {
    section.only("type", "single", "pair", "special_tokens");
    Ids before = new Ids();
    Ids after = new Ids();
    boolean textSeen = false;
    for (Section item : section.children("single")) {
      item.only("SpecialToken", "Sequence");
      if (item.has("SpecialToken")) {
        String name = item.child("SpecialToken").text("id");
        Section token = section.child("special_tokens").child(name);
        addIds(token, textSeen ? after : before, vocabulary);
      } else if (textSeen || !item.child("Sequence").text("id").equals("A")) {
        throw section.wrong("single", "one text, the sequence A");
      } else {
        textSeen = true;
      }
    }
    if (!textSeen) {
      throw section.wrong("single", "one text, the sequence A");
    }
    return new Template(before.toArray(), after.toArray());
  }

  private static void addIds(Section token, Ids ids, Vocabulary vocabulary) {
    JsonNode values = token.only("id", "ids", "tokens").node().path("ids");
    if (!values.isArray() || values.isEmpty()) {
      throw token.wrong("ids", "an array of ids");
    }
    for (JsonNode value : values) {
      ids.add(checked(token, "ids", value, vocabulary));
    }
  }

  private static int checked(Section section, String key, JsonNode id, Vocabulary vocabulary) {
    if (!id.isInt() || id.intValue() < 0 || id.intValue() >= vocabulary.size()) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "%s holds %s; needed: ids below %d",
              section.where(key),
              id,
              vocabulary.size()));
    }
    return id.intValue();
  }
}
